import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { UserError } from '../core/errors.js';
import { CrashGroup } from '../gen/pandafuzz/v1/crash.js';
import { Attempt, Job } from '../gen/pandafuzz/v1/job.js';
import { standingGroup } from './crashes/dossier.js';
import { groupTable } from './crashes/tables.js';
import { eachOf } from './each.js';
import { allCompleted, followJobs } from './follow.js';
import { plainLines } from './format.js';
import { findId } from './ids.js';
import { eachCrash } from './lists.js';
import { print } from './output.js';
import { asking, type Flags } from './session.js';
import { type CallOptions, type Submission, submitJobs } from './submit.js';
import { jobDetails, jobTable } from './views.js';

/** `pandafuzz job …`. Prints the answer; throws UserErrors. */

export interface SubmitOptions extends Submission {
  readonly wait?: boolean;
  /** With `wait`: crashes have an exit code of their own. */
  readonly failOnCrash?: boolean;
}

/** Of `job submit --fail-on-crash`: the jobs were waited for, and found crashes. */
export const crashesFound = 10;

/** @returns the exit code */
export function submitAndShow(flags: Flags, submission: SubmitOptions): Promise<number> {
  return asking(flags, async (connection, options) => {
    const queued = await submitJobs(connection, submission, options);
    const ids = queued.map((job) => job.id);
    if (!submission.wait) {
      if (process.stderr.isTTY && !flags.json) {
        process.stderr.write(`queued; "pandafuzz job get ${ids[0]}" shows how it does\n`);
      }
      print(flags, {
        json: () => ({ jobs: queued.map(Job.toJSON) }),
        text: () => plainLines(ids.join('\n')),
      });
      return 0;
    }
    const jobs = await followJobs(connection, ids, options);
    const groups = await groupsOf(connection, ids, options);
    print(flags, {
      json: () => ({ jobs: jobs.map(Job.toJSON), groups: groups.map(CrashGroup.toJSON) }),
      text: () =>
        [
          jobTable(jobs, Date.now()),
          ...(groups.length > 0 ? [groupTable(groups, Date.now())] : []),
        ].join('\n\n'),
    });
    const hasMet = jobs.some((job) => (job.statistics?.crashHits ?? 0) > 0);
    if (submission.failOnCrash && (groups.length > 0 || hasMet)) return crashesFound;
    return allCompleted(jobs) ? 0 : 1;
  });
}

/** Groups that the crashes of these jobs are in, each once. */
async function groupsOf(
  connection: Connection,
  jobIds: readonly string[],
  options: CallOptions,
): Promise<CrashGroup[]> {
  const groups = new Map<string, CrashGroup>();
  for (const jobId of jobIds) {
    for await (const { groupId } of eachCrash(connection, { jobId }, options)) {
      if (groups.has(groupId)) continue;
      groups.set(groupId, (await standingGroup(connection, groupId, options)).group);
    }
  }
  return [...groups.values()];
}

export function showJob(flags: Flags, text: string): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { jobs } = connection;
    const jobId = await findId(connection, text, 'job', options);
    const { job, attempts } = await unary(jobs, jobs.getJob, { jobId }, options);
    if (!job) throw new UserError('the master sent no job');
    print(flags, {
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
  texts: readonly string[],
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
    const refused = await eachOf(texts, connection.address, async (text) => {
      const jobId = await findId(connection, text, 'job', options);
      const { job } = await unary(service, methods[change], { jobId }, options);
      if (job) jobs.push(job);
    });
    print(flags, {
      json: () => ({ jobs: jobs.map(Job.toJSON) }),
      text: () => jobTable(jobs, Date.now()),
    });
    return refused > 0 ? 1 : 0;
  });
}
