import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { isNotFound } from '../../client/failure.js';
import { UserError } from '../../core/errors.js';
import { type Job, JobState } from '../../gen/pandafuzz/v1/job.js';
import { findId } from '../ids.js';
import { listJobs } from '../lists.js';
import { asking, type Flags } from '../session.js';
import type { CallOptions } from '../submit.js';
import { changesOf, type Link } from './changes.js';
import { jobEvent, presentJob } from './job-events.js';
import { type Tell, writer } from './lines.js';

/** As many of those that run and wait are shown as the watch begins. */
const mostBefore = 100;

/**
 * `pandafuzz job watch`: the jobs as they are, and then a line for each change.
 *
 * @param job its changes alone: the watch ends with it
 * @param cursor begins after that change, and leaves out what is
 * @returns the exit code: 0, or 1 for a job that ended otherwise than completed
 */
export function watchJobs(
  flags: Flags,
  { job: text, cursor }: { job: string | undefined; cursor: number },
): Promise<number> {
  return asking(flags, async (connection, options) => {
    const tell = writer(flags.json);
    const jobId = text === undefined ? '' : await findId(connection, text, 'job', options);
    const link = linkTo(connection.address, tell);
    const changes = changesOf(connection, { jobId, cursor }, { signal: options.signal, link });
    for await (const change of changes) {
      if (change.kind === '') {
        // The stream begins now: what is read after this is no older.
        const ended = await tellPresent(connection, jobId, { tell, options });
        if (ended) return exitCodeOf(ended);
        continue;
      }
      tell(jobEvent(change));
      if (jobId !== '' && change.job?.finishedAt) return exitCodeOf(change.job);
      if (jobId !== '' && !change.job) throw new UserError('the job was deleted');
    }
    return 0;
  });
}

/** Says on the same output that the master is away, and that it is back. */
export const linkTo = (address: string, tell: Tell): Link => ({
  away: () =>
    tell({
      time: new Date(),
      kind: 'master.away',
      text: `no master answers at ${address}; waiting for it`,
      isBad: true,
    }),
  back: (isGap) =>
    tell({
      time: new Date(),
      kind: 'master.back',
      text: isGap ? 'it answers again; what happened between is not known' : 'it answers again',
    }),
});

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

const exitCodeOf = ({ state }: Job): number => (state === JobState.COMPLETED ? 0 : 1);
