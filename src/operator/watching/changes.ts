import { feed, unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { failureOf } from '../../client/failure.js';
import { sleep, systemClock } from '../../core/clock.js';
import type { WatchJobsResponse } from '../../gen/pandafuzz/v1/job_service.js';
import type { Link } from './link.js';

const firstPauseMs = 500;
const longestPauseMs = 5000;
/** Time that the question has whether a master answers again. */
const answerWithinMs = 5000;
/** gRPC's RESOURCE_EXHAUSTED: there are too many watches. */
const exhausted = 8;
/** gRPC's OUT_OF_RANGE: events after the cursor are gone, or it is another database. */
const outOfRange = 11;
/** CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE: a master that stops says why. */
const lost = new Set([1, 4, 8, 14]);

/**
 * Changes of jobs from a cursor on, over any number of connections: none twice, and none left
 * out as long as the master keeps the events. It ends with `signal` alone.
 *
 * @throws the error of the first connection, unless a master was there and went away; and what
 *   is no loss of a connection
 */
export async function* changesOf(
  connection: Connection,
  from: { jobId: string; cursor: number },
  { signal, link }: { signal: AbortSignal; link: Link },
): AsyncGenerator<WatchJobsResponse> {
  const { jobs } = connection;
  let { cursor } = from;
  // From a cursor on, the stream says nothing until something happens.
  if (cursor !== 0) await ask(connection, signal);
  const wasThere = cursor !== 0;
  let wasReached = false;
  for (;;) {
    let trouble: unknown;
    try {
      const request = { jobId: from.jobId, cursor };
      for await (const change of feed(jobs, jobs.watchJobs, request, signal)) {
        wasReached = true;
        ({ cursor } = change);
        yield change;
      }
    } catch (error) {
      wasReached ||= wasThere && isLoss(error) && failureOf(error)?.code !== exhausted;
      if (signal.aborted || !wasReached) throw error;
      if (failureOf(error)?.code === outOfRange) {
        link.gap();
        cursor = 0;
        continue;
      }
      trouble = error;
    }
    await answerAgain(connection, trouble, { signal, link });
  }
}

/**
 * Waits until the master answers again. A stream says nothing until something happens.
 *
 * @throws what is no loss of a connection
 */
async function answerAgain(
  connection: Connection,
  first: unknown,
  { signal, link }: { signal: AbortSignal; link: Link },
): Promise<void> {
  let trouble = first;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    if (trouble !== undefined && !isLoss(trouble)) throw trouble;
    link.away(trouble);
    await sleep(systemClock, pauseMs, signal);
    try {
      await ask(connection, signal);
      link.back();
      return;
    } catch (error) {
      trouble = error;
    }
  }
}

/** Resolves when a master has answered. */
async function ask({ jobs }: Connection, signal: AbortSignal): Promise<void> {
  const question = { pageSize: 1, pageToken: '', state: 0, project: '', targetName: '' };
  const limits = { timeoutMs: answerWithinMs, signal };
  await unary(jobs, jobs.listJobs, { ...question, campaign: '', since: undefined }, limits);
}

/** Of the connection, or of a master that stops, starts or has too much to do. */
export const isLoss = (error: unknown): boolean => lost.has(failureOf(error)?.code ?? -1);
