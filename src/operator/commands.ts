import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { UserError } from '../core/errors.js';
import { Bot } from '../gen/pandafuzz/v1/bot.js';
import { Crash, CrashGroup } from '../gen/pandafuzz/v1/crash.js';
import { Job, JobState } from '../gen/pandafuzz/v1/job.js';
import { GetSystemStatsResponse } from '../gen/pandafuzz/v1/system_service.js';
import { allCompleted, followJobs } from './follow.js';
import { bytes } from './format.js';
import { listBots, listCrashes, listCrashGroups, listJobs } from './lists.js';
import { print } from './output.js';
import { downloadReproducer } from './reproducer.js';
import { withMaster } from './session.js';
import { type CallOptions, type Submission, submitJobs } from './submit.js';
import {
  botTable,
  crashDetails,
  crashGroupTable,
  crashTable,
  jobDetails,
  jobTable,
  statsView,
} from './views.js';

/** What each command does. Prints its answer; throws UserErrors for a person to read. */

interface Flags {
  readonly master: string;
  readonly timeout: number;
  readonly json: boolean;
}

const asking = <T>(
  flags: Flags,
  use: (connection: Connection, options: Required<CallOptions>) => Promise<T>,
) => withMaster({ master: flags.master, timeoutMs: flags.timeout }, use);

/** @returns the exit code */
export function submitAndShow(
  flags: Flags,
  submission: Submission & { wait: boolean },
): Promise<number> {
  return asking(flags, async (connection, options) => {
    const queued = await submitJobs(connection, submission, options);
    const ids = queued.map((job) => job.id);
    const jobs = submission.wait ? await followJobs(connection, ids, options) : queued;
    print(flags.json, {
      json: () => ({ jobs: jobs.map(Job.toJSON) }),
      text: () => (submission.wait ? jobTable(jobs, Date.now()) : ids.join('\n')),
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
    const { job } = await unary(jobs, jobs.getJob, { jobId }, options);
    if (!job) throw new UserError('the master sent no job');
    print(flags.json, { json: () => Job.toJSON(job), text: () => jobDetails(job, Date.now()) });
  });
}

export function cancelJobs(flags: Flags, jobIds: readonly string[]): Promise<void> {
  return asking(flags, async ({ jobs: service }, options) => {
    const jobs: Job[] = [];
    for (const jobId of jobIds) {
      const { job } = await unary(service, service.cancelJob, { jobId }, options);
      if (job) jobs.push(job);
    }
    print(flags.json, {
      json: () => ({ jobs: jobs.map(Job.toJSON) }),
      text: () => jobTable(jobs, Date.now()),
    });
  });
}

export function showBots(flags: Flags & { limit: number }): Promise<void> {
  return asking(flags, async (connection, options) => {
    const bots = await listBots(connection, flags, options);
    print(flags.json, {
      json: () => ({ bots: bots.map(Bot.toJSON) }),
      text: () => botTable(bots, Date.now()),
    });
  });
}

/** The groups; with a group or a job, the single crashes. */
export function showCrashes(
  flags: Flags & { limit: number; group?: string; job?: string },
): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { group: groupId = '', job: jobId = '', limit } = flags;
    if (groupId === '' && jobId === '') {
      const groups = await listCrashGroups(connection, { limit }, options);
      print(flags.json, {
        json: () => ({ groups: groups.map(CrashGroup.toJSON) }),
        text: () => crashGroupTable(groups, Date.now()),
      });
      return;
    }
    const crashes = await listCrashes(connection, { groupId, jobId, limit }, options);
    print(flags.json, {
      json: () => ({ crashes: crashes.map(Crash.toJSON) }),
      text: () => crashTable(crashes, Date.now()),
    });
  });
}

export function showCrash(flags: Flags, crashId: string): Promise<void> {
  return asking(flags, async ({ crashes }, options) => {
    const { crash } = await unary(crashes, crashes.getCrash, { crashId }, options);
    if (!crash) throw new UserError('the master sent no crash');
    print(flags.json, {
      json: () => Crash.toJSON(crash),
      text: () => crashDetails(crash, Date.now()),
    });
  });
}

export function fetchReproducer(
  flags: Flags & { output?: string; force: boolean },
  id: string,
): Promise<void> {
  return asking(flags, async (connection, options) => {
    const file = { path: flags.output ?? '', replace: flags.force };
    const { path, crash } = await downloadReproducer(connection, id, file, options);
    print(flags.json, {
      json: () => ({ path, crash: Crash.toJSON(crash) }),
      text: () => `${path} (${bytes(crash.inputSizeBytes)}, ${crash.kind} in ${crash.topFrame})`,
    });
  });
}

export function showStats(flags: Flags): Promise<void> {
  return asking(flags, async ({ system }, options) => {
    const stats = await unary(system, system.getSystemStats, {}, options);
    print(flags.json, {
      json: () => GetSystemStatsResponse.toJSON(stats),
      text: () => statsView(stats, Date.now()),
    });
  });
}
