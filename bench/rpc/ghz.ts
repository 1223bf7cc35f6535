import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Latencies, type Percentiles } from '../latencies.js';

/** Calls by the files of bench/ghz, with what is there filled in. */
export type Scenario =
  | 'assign-job'
  | 'complete-job'
  | 'create-job'
  | 'get-job'
  | 'get-system-stats'
  | 'heartbeat'
  | 'list-crashes'
  | 'list-jobs'
  | 'list-jobs-deep'
  | 'register-bot';

/** What is said in place of what the file says. */
export interface Changes {
  /** Requests, in the JSON of protobuf; of an array each is sent in its turn. */
  readonly data?: object;
  readonly concurrency?: number;
  /** Seconds, or so many calls. */
  readonly seconds?: number;
  readonly calls?: number;
  /** Calls begun a second, at most. Without it each caller calls as soon as it was answered. */
  readonly rate?: number;
  /** Of each call. */
  readonly timeoutMs?: number;
  /** Others on its core go first: it makes the load, and they take the times. */
  readonly yields?: boolean;
}

export interface ScenarioRun {
  readonly calls: number;
  readonly okPerSecond: number;
  /** How many were answered with what, e.g. "OK", "DeadlineExceeded". */
  readonly codes: Readonly<Record<string, number>>;
  /** Of those that were answered OK. */
  readonly times: Percentiles;
}

const fileOf = (scenario: Scenario) => resolve('bench/ghz', `${scenario}.json`);

/** What the file of a stream says, message by message. */
export const messagesOf = (scenario: 'heartbeat'): readonly object[] =>
  JSON.parse(readFileSync(fileOf(scenario), 'utf8')).data;

const program = resolve('.tools/bin/ghz');

/** @throws Error that says how to bring ghz, where it is missing */
export async function runScenario(
  address: string,
  scenario: Scenario,
  folder: string,
  changes: Changes = {},
): Promise<ScenarioRun> {
  if (!existsSync(program)) {
    throw new Error('ghz is missing: "make bench" brings it where Go is there');
  }
  const { data, concurrency, seconds, calls, rate, timeoutMs, yields } = changes;
  const args = ['--config', fileOf(scenario), '--format', 'json'];
  if (data !== undefined) {
    // A file: there may be more of it than a command line takes.
    const path = join(folder, `${scenario}.json`);
    writeFileSync(path, JSON.stringify(data));
    args.push('--data-file', path);
  }
  if (concurrency !== undefined) {
    args.push('--concurrency', `${concurrency}`, '--connections', `${Math.min(concurrency, 8)}`);
  }
  if (seconds !== undefined) args.push('--duration', `${seconds}s`);
  if (calls !== undefined) args.push('--total', `${calls}`);
  if (rate !== undefined) args.push('--rps', `${Math.max(Math.round(rate), 1)}`);
  if (timeoutMs !== undefined) args.push('--timeout', `${timeoutMs}ms`);
  const running = promisify(execFile)(program, [...args, address], { maxBuffer: 2 ** 30 });
  if (yields) setPriority(running.child.pid as number, constants.priority.PRIORITY_LOW);
  return read(JSON.parse((await running).stdout));
}

/** The parts of ghz's answer that are of interest. Times are nanoseconds. */
interface Answer {
  readonly count: number;
  readonly total: number;
  readonly statusCodeDistribution?: Readonly<Record<string, number>>;
  readonly details?: readonly { readonly latency: number; readonly status: string }[];
}

function read({ count, total, statusCodeDistribution: codes = {}, details = [] }: Answer) {
  const times = new Latencies();
  for (const { latency, status } of details) if (status === 'OK') times.record(latency / 1e6);
  const okPerSecond = (codes['OK'] ?? 0) / (total / 1e9);
  return { calls: count, okPerSecond, codes, times: times.percentiles };
}

/** "p50 1.2 ms, p99 3.4 ms". */
export const timesText = ({ p50, p99 }: Percentiles): string =>
  `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;

/** How often each code other than OK came; "no errors". */
export function errorsText(codes: ScenarioRun['codes']): string {
  const others = Object.entries(codes).filter(([code]) => code !== 'OK');
  if (others.length === 0) return 'no errors';
  return others.map(([code, count]) => `${count.toLocaleString('en')} ${code}`).join(', ');
}
