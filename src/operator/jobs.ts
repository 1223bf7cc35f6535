import { unary } from '../client/call.js';
import { UserError } from '../core/errors.js';
import { Attempt, Job, JobState } from '../gen/pandafuzz/v1/job.js';
import { eachOf } from './each.js';
import { allCompleted, followJobs } from './follow.js';
import { plain, plainLines } from './format.js';
import { listJobs } from './lists.js';
import { print } from './output.js';
import { asking, type Flags } from './session.js';
import { type Submission, submitJobs } from './submit.js';
import { jobDetails, jobTable } from './views.js';

/** `pandafuzz job …`. Prints the answer; throws UserErrors. */

/** @returns the exit code */
export function submitAndShow(
  flags: Flags,
  submission: Submission & { wait?: boolean },
): Promise<number> {
  return asking(flags, async (connection, options) => {
    const queued = await submitJobs(connection, submission, options);
    const ids = queued.map((job) => job.id);
    if (process.stderr.isTTY && !flags.json && !submission.wait) {
      process.stderr.write(`${plain(`queued; "pandafuzz job get ${ids[0]}" shows how it does`)}\n`);
    }
    const jobs = submission.wait ? await followJobs(connection, ids, options) : queued;
    print(flags.json, {
      json: () => ({ jobs: jobs.map(Job.toJSON) }),
      text: () => (submission.wait ? jobTable(jobs, Date.now()) : plainLines(ids.join('\n'))),
    });
    return submission.wait && !allCompleted(jobs) ? 1 : 0;
  });
}

export function showJobs(flags: Flags & { limit: number; state?: string }): Promise<void> {
  return asking(flags, async (connection, options) => {
    const state = JobState[(flags.state ?? 'unspecified').toUpperCase() as keyof typeof JobState];
    const jobs = await listJobs(connection, { state, limit: flags.limit }, options);
    print(flags.json, {
      json: () => ({ jobs: jobs.map(Job.toJSON) }),
      text: () => jobTable(jobs, Date.now()),
    });
  });
}

export function showJob(flags: Flags, jobId: string): Promise<void> {
  return asking(flags, async ({ jobs }, options) => {
    const { job, attempts } = await unary(jobs, jobs.getJob, { jobId }, options);
    if (!job) throw new UserError('the master sent no job');
    print(flags.json, {
      json: () => ({ ...(Job.toJSON(job) as object), attempts: attempts.map(Attempt.toJSON) }),
      text: () => jobDetails(job, attempts, Date.now()),
    });
  });
}

export type JobChange = 'cancel' | 'pause' | 'resume' | 'retry';

/**
 * Applies one change to each, even after one has failed.
 *
 * @returns the exit code: 1 if the master refused one
 */
export function changeJobs(
  flags: Flags,
  change: JobChange,
  jobIds: readonly string[],
): Promise<number> {
  return asking(flags, async (connection, options) => {
    const { jobs: service } = connection;
    const methods = {
      cancel: service.cancelJob,
      pause: service.pauseJob,
      resume: service.resumeJob,
      retry: service.retryJob,
    };
    const jobs: Job[] = [];
    const refused = await eachOf(jobIds, connection.address, async (jobId) => {
      const { job } = await unary(service, methods[change], { jobId }, options);
      if (job) jobs.push(job);
    });
    print(flags.json, {
      json: () => ({ jobs: jobs.map(Job.toJSON) }),
      text: () => jobTable(jobs, Date.now()),
    });
    return refused > 0 ? 1 : 0;
  });
}
