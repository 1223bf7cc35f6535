import { createLogUpdate } from 'log-update';
import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { sleep, systemClock } from '../core/clock.js';
import { type Job, JobState } from '../gen/pandafuzz/v1/job.js';
import { count } from './format.js';
import type { CallOptions } from './submit.js';
import { jobState, jobTable } from './views.js';

const lookEveryMs = 1000;

/**
 * Waits until all of these jobs have ended, and shows how they do: a live table
 * on a terminal, elsewhere a line whenever a state changes. On standard error.
 *
 * @returns the jobs as they ended, in the order given
 */
export async function followJobs(
  connection: Connection,
  jobIds: readonly string[],
  options: CallOptions & { signal: AbortSignal },
): Promise<Job[]> {
  const show = process.stderr.isTTY ? liveTable() : linePerChange();
  try {
    for (;;) {
      const { jobs: service } = connection;
      const jobs: Job[] = [];
      for (const jobId of jobIds) {
        const { job } = await unary(service, service.getJob, { jobId }, options);
        if (job) jobs.push(job);
      }
      show.update(jobs);
      if (jobs.every((job) => job.finishedAt !== undefined)) return jobs;
      await sleep(systemClock, lookEveryMs, options.signal);
    }
  } finally {
    show.end();
  }
}

export const allCompleted = (jobs: readonly Job[]): boolean =>
  jobs.every((job) => job.state === JobState.COMPLETED);

function liveTable() {
  const area = createLogUpdate(process.stderr);
  return {
    update: (jobs: readonly Job[]) => area(jobTable(jobs, Date.now())),
    end: () => area.done(),
  };
}

function linePerChange() {
  const told = new Map<string, string>();
  return {
    update(jobs: readonly Job[]) {
      for (const job of jobs) {
        const state = jobState(job);
        if (told.get(job.id) === state) continue;
        told.set(job.id, state);
        const { executions = 0, crashes = 0 } = job.statistics ?? {};
        console.error(`${job.id} ${state}, ${count(executions)} executions, ${crashes} crashes`);
      }
    },
    end() {},
  };
}
