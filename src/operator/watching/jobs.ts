import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { isNotFound } from '../../client/failure.js';
import { UserError } from '../../core/errors.js';
import { type Job, JobState } from '../../gen/pandafuzz/v1/job.js';
import { findId } from '../ids.js';
import { listJobs } from '../lists.js';
import { taken } from '../output.js';
import { asking, type Flags } from '../session.js';
import type { CallOptions } from '../submit.js';
import { changesOf } from './changes.js';
import { isEnd, jobEvent, presentJob } from './job-events.js';
import { JobLooks } from './job-looks.js';
import { type LineFlags, type Tell, writer } from './lines.js';
import { linkTo } from './link.js';
import { lookAgain } from './look-again.js';

/** As many of those that run and wait are shown as the watch begins. */
const mostBefore = 100;

export type JobWatchFlags = Omit<Flags, 'json'> & LineFlags;

/**
 * `pandafuzz job watch`: the jobs as they are, and then a line for each change; of one job, its
 * crashes and what it finds too.
 *
 * @param job its changes alone: the watch ends with it
 * @param cursor begins after that change, and leaves out what is
 * @returns the exit code: 0, or 1 for a job that ended otherwise than completed
 */
export function watchJobs(
  flags: JobWatchFlags,
  { job: text, cursor }: { job: string | undefined; cursor: number },
): Promise<number> {
  return asking(flags, async (connection, options) => {
    const tell = writer(flags);
    const jobId = text === undefined ? '' : await findId(connection, text, 'job', options);
    const over = new AbortController();
    const signal = AbortSignal.any([options.signal, over.signal]);
    const link = linkTo(connection.address, tell);
    const looks = jobId === '' ? undefined : new JobLooks(connection, jobId, tell);

    async function changes(): Promise<number> {
      for await (const change of changesOf(connection, { jobId, cursor }, { signal, link })) {
        await taken(signal);
        if (change.kind === '') {
          // The stream begins now: what is read after this is no older.
          const ended = await tellPresent(connection, jobId, { tell, options });
          if (ended) return ended.state === JobState.COMPLETED ? 0 : 1;
          continue;
        }
        // Crashes come before the end that they belong to.
        if (isEnd(change.kind)) await looks?.atEnd({ ...options, signal });
        tell(jobEvent(change));
        if (jobId === '') continue;
        if (isEnd(change.kind)) return change.kind === 'job.completed' ? 0 : 1;
        if (change.kind === 'job.forgotten') throw new UserError('the job was deleted');
      }
      return 0;
    }

    async function looking(): Promise<never> {
      await lookAgain(signal, link, async () => {
        await looks?.look({ ...options, signal });
        await taken(signal);
        return false;
      });
      throw new Error('it looks until it is ended');
    }

    // A crash after the first line is no part of what was there before.
    await looks?.look(options);
    const both = looks ? [changes(), looking()] : [changes()];
    try {
      return await Promise.race(both);
    } finally {
      over.abort();
      await Promise.allSettled(both);
    }
  });
}

/** @returns the one job that is watched, if it has ended already */
async function tellPresent(
  connection: Connection,
  jobId: string,
  { tell, options }: { tell: Tell; options: CallOptions },
): Promise<Job | undefined> {
  if (jobId === '') {
    for (const state of [JobState.PENDING, JobState.ASSIGNED, JobState.RUNNING]) {
      const jobs = await listJobs(connection, { state, limit: mostBefore }, options);
      for (const job of jobs.reverse()) tell(presentJob(job));
    }
    return undefined;
  }
  const { jobs } = connection;
  const { job } = await unary(jobs, jobs.getJob, { jobId }, options);
  if (!job) throw new UserError('the master sent no job');
  tell(presentJob(job, await reasonsFor(connection, job, options)));
  return job.finishedAt ? job : undefined;
}

async function reasonsFor(
  { jobs }: Connection,
  job: Job,
  options: CallOptions,
): Promise<readonly string[]> {
  if (job.state !== JobState.PENDING) return job.result?.message ? [job.result.message] : [];
  try {
    return (await unary(jobs, jobs.explainJob, { jobId: job.id }, options)).reasons;
  } catch (error) {
    // It may have gone meanwhile.
    if (isNotFound(error)) return [];
    throw error;
  }
}
