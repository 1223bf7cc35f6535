import { feed } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { failureOf } from '../../client/failure.js';
import { sleep, systemClock } from '../../core/clock.js';
import type { WatchJobsResponse } from '../../gen/pandafuzz/v1/job_service.js';

/** Word of what becomes of the connection. */
export interface Link {
  /** The master cannot be reached: it is tried again until it can. */
  away(): void;
  /** It answers again; `isGap`: it no longer knows what happened between. */
  back(isGap: boolean): void;
}

const firstPauseMs = 500;
const longestPauseMs = 5000;
/** gRPC's OUT_OF_RANGE: events after the cursor are gone, or it is another database. */
const outOfRange = 11;
/** CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE: a master that stops says why. */
const lost = new Set([1, 4, 8, 14]);

/**
 * Changes of jobs from a cursor on, over any number of connections, without a gap as long as the
 * master keeps the events. It ends with `signal` alone.
 *
 * @throws the error of the first connection, and what is no loss of a connection
 */
export async function* changesOf(
  connection: Connection,
  from: { jobId: string; cursor: number },
  { signal, link }: { signal: AbortSignal; link: Link },
): AsyncGenerator<WatchJobsResponse> {
  let { cursor } = from;
  let wasReached = false;
  let isGone = false;
  let pauseMs = firstPauseMs;
  for (;;) {
    try {
      const { jobs } = connection;
      const request = { jobId: from.jobId, cursor };
      for await (const change of feed(jobs, jobs.watchJobs, request, signal)) {
        if (isGone) link.back(false);
        wasReached = true;
        isGone = false;
        pauseMs = firstPauseMs;
        ({ cursor } = change);
        yield change;
      }
    } catch (error) {
      if (signal.aborted || !wasReached) throw error;
      if (failureOf(error)?.code === outOfRange) {
        link.back(true);
        isGone = false;
        cursor = 0;
        continue;
      }
      if (!lost.has(failureOf(error)?.code ?? -1)) throw error;
    }
    if (!isGone) link.away();
    isGone = true;
    await sleep(systemClock, pauseMs, signal);
    pauseMs = Math.min(2 * pauseMs, longestPauseMs);
  }
}
