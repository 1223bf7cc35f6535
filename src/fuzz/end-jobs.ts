import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { sleep, systemClock } from '../core/clock.js';
import { JobState } from '../gen/pandafuzz/v1/job.js';
import { listJobs } from '../operator/lists.js';

/** For a call, and for jobs to end, milliseconds. */
const callMs = 10_000;
const endingMs = 8000;
const lookEveryMs = 100;
const mostJobs = 1000;
/** Of waits that end soon by themselves. */
const never = new AbortController().signal;

/** Of a session that was killed: its jobs would go on beside those of this one. */
export async function unfinishedJobs(connection: Connection): Promise<string[]> {
  const every = { state: JobState.UNSPECIFIED, limit: mostJobs };
  const jobs = await listJobs(connection, every, { timeoutMs: callMs });
  return jobs.filter(({ finishedAt }) => !finishedAt).map(({ id }) => id);
}

/** Cancels them, and waits for their last figures within a bound. */
export async function endJobs({ jobs }: Connection, ids: readonly string[]): Promise<void> {
  const options = { timeoutMs: callMs };
  for (const jobId of ids) await unary(jobs, jobs.cancelJob, { jobId }, options).catch(() => {});
  const until = systemClock.monotonic() + endingMs;
  let open = ids;
  while (open.length > 0 && systemClock.monotonic() < until) {
    const answers = await Promise.all(
      open.map((jobId) => unary(jobs, jobs.getJob, { jobId }, options)),
    );
    open = open.filter((_, index) => !answers[index]?.job?.finishedAt);
    if (open.length > 0) await sleep(systemClock, lookEveryMs, never);
  }
}
