import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { Latencies, type Percentiles } from '../latencies.js';

/** Replaces a part of a file of bench/ghz. */
export interface Changes {
  /** Requests, in the JSON of protobuf; of an array each is sent in its turn. */
  readonly data?: object;
  readonly concurrency?: number;
  readonly seconds?: number;
  /** Calls begun a second, at most. Without it each caller calls as soon as it was answered. */
  readonly rate?: number;
  /** Of each call. */
  readonly timeoutMs?: number;
  /** Others on its core go first: it makes the load, and they measure. */
  readonly yields?: boolean;
}

export interface ScenarioRun {
  readonly calls: number;
  readonly okPerSecond: number;
  /** Number of answers by status, e.g. "OK", "DeadlineExceeded". */
  readonly codes: Readonly<Record<string, number>>;
  /** Of the calls answered OK. */
  readonly times: Percentiles;
}

const program = resolve('.tools/bin/ghz');
const fileOf = (scenario: string) => resolve('bench/ghz', `${scenario}.json`);

/**
 * Runs ghz. `scenario`: the name of a file of bench/ghz.
 *
 * @throws Error that says how to bring ghz, where it is missing
 */
export async function runScenario(
  address: string,
  scenario: string,
  changes: Changes = {},
): Promise<ScenarioRun> {
  if (!existsSync(program)) {
    throw new Error('ghz is missing: "make bench" brings it where Go is there');
  }
  const { data, concurrency, seconds, rate, timeoutMs, yields } = changes;
  const args = ['--config', fileOf(scenario), '--format', 'json'];
  if (data !== undefined) args.push('--data', JSON.stringify(data));
  if (concurrency !== undefined) {
    args.push('--concurrency', `${concurrency}`, '--connections', `${Math.min(concurrency, 8)}`);
  }
  if (seconds !== undefined) args.push('--duration', `${seconds}s`);
  if (rate !== undefined) args.push('--rps', `${Math.max(Math.round(rate), 1)}`);
  if (timeoutMs !== undefined) args.push('--timeout', `${timeoutMs}ms`);
  const running = promisify(execFile)(program, [...args, address], { maxBuffer: 2 ** 30 });
  if (yields) setPriority(running.child.pid as number, constants.priority.PRIORITY_LOW);
  return read(JSON.parse((await running).stdout));
}

/** The part of ghz's answer that is used here. Times are nanoseconds. */
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

/** "1,000 OK, 2 DeadlineExceeded". */
export const codesText = (codes: ScenarioRun['codes']): string =>
  Object.entries(codes)
    .map(([code, count]) => `${count.toLocaleString('en')} ${code}`)
    .join(', ');
