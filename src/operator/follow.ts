import { createLogUpdate } from 'log-update';
import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { isAway } from '../client/failure.js';
import { sleep, systemClock } from '../core/clock.js';
import { type Job, JobState } from '../gen/pandafuzz/v1/job.js';
import { count, plain } from './format.js';
import { isLiveTerminal } from './live-terminal.js';
import type { CallOptions } from './submit.js';
import { jobTable } from './views.js';
import { jobState } from './words.js';

const lookEveryMs = 1000;

/** Display of the waiting. */
export interface FollowView {
  update(jobs: readonly Job[]): void;
  /** No master answers at `address`. */
  away(address: string): void;
  /** `finished`: all jobs have ended, and the caller prints the result. */
  end(finished: boolean): void;
}

/**
 * Waits until all jobs have ended, and shows their progress on standard error: a live
 * table on a terminal, elsewhere a line for each change of state. Waits for an absent
 * master too: its jobs outlive it.
 *
 * @returns the jobs as they ended, in the order given
 */
export async function followJobs(
  connection: Connection,
  jobIds: readonly string[],
  options: CallOptions & { signal: AbortSignal },
  show: FollowView = isLiveTerminal(process.stderr) ? liveTable() : linePerChange(toStandardError),
): Promise<Job[]> {
  let finished = false;
  try {
    for (;;) {
      const jobs = await lookAt(connection, jobIds, options);
      if (jobs) show.update(jobs);
      else show.away(connection.address);
      finished = jobs?.every((job) => job.finishedAt !== undefined) ?? false;
      if (jobs && finished) return jobs;
      await sleep(systemClock, lookEveryMs, options.signal);
    }
  } finally {
    show.end(finished);
  }
}

/** @returns undefined while no master answers */
async function lookAt(
  { jobs: service }: Connection,
  jobIds: readonly string[],
  options: CallOptions,
): Promise<Job[] | undefined> {
  const jobs: Job[] = [];
  try {
    for (const jobId of jobIds) {
      const { job } = await unary(service, service.getJob, { jobId }, options);
      if (job) jobs.push(job);
    }
    return jobs;
  } catch (error) {
    if (isAway(error)) return undefined;
    throw error;
  }
}

const toStandardError = (line: string) => void process.stderr.write(`${line}\n`);
const awayLine = (address: string) => `no master answers at ${address}; waiting for it`;

export const allCompleted = (jobs: readonly Job[]): boolean =>
  jobs.every((job) => job.state === JobState.COMPLETED);

function liveTable(): FollowView {
  const area = createLogUpdate(process.stderr);
  return {
    update: (jobs: readonly Job[]) => area(jobTable(jobs, Date.now(), process.stderr.columns)),
    away: (address: string) => area(awayLine(address)),
    end(finished) {
      if (finished) area.clear();
      area.done();
    },
  };
}

/** Prints a line for each change of a job's state, and when the master leaves. */
export function linePerChange(write: (line: string) => void): FollowView {
  const told = new Map<string, string>();
  let away = false;
  return {
    away(address: string) {
      if (!away) write(awayLine(address));
      away = true;
    },
    update(jobs: readonly Job[]) {
      away = false;
      for (const job of jobs) {
        const state = jobState(job);
        if (told.get(job.id) === state) continue;
        told.set(job.id, state);
        const { executions = 0, crashHits = 0, crashInputsKept = 0 } = job.statistics ?? {};
        const found = `${count(crashHits)} hits, ${count(crashInputsKept)} kept`;
        write(plain(`${job.id} ${state}, ${count(executions)} executions, ${found}`));
      }
    },
    end() {},
  };
}
