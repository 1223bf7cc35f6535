import { execFile } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { Latencies, type Percentiles } from '../latencies.js';

/** Replaces a part of a file of bench/ghz. */
export interface Changes {
  /** The request, in the JSON of protobuf. */
  readonly data?: object | undefined;
  readonly concurrency?: number;
  readonly seconds?: number;
  readonly calls?: number;
  /** Calls begun a second, at most. Without it each caller calls as soon as it was answered. */
  readonly rate?: number;
  readonly timeoutMs?: number;
  /** Others on its core go first: it makes the load, and they measure. */
  readonly yields?: boolean;
}

export interface ScenarioRun {
  readonly calls: number;
  readonly ok: number;
  readonly okPerSecond: number;
  readonly codes: string;
  readonly times: Percentiles;
}

/** Runs ghz, which `make bench` brings, with a file of bench/ghz, `scenario`. */
export async function runScenario(
  address: string,
  scenario: string,
  { data, concurrency, seconds, calls, rate, timeoutMs, yields }: Changes,
): Promise<ScenarioRun> {
  const options: Record<string, string | number | undefined> = {
    config: resolve('bench/ghz', `${scenario}.json`),
    format: 'json',
    data: data && JSON.stringify(data),
    concurrency,
    connections: concurrency && Math.min(concurrency, 8),
    duration: seconds && `${seconds}s`,
    total: calls,
    rps: rate && Math.max(Math.round(rate), 1),
    timeout: timeoutMs && `${timeoutMs}ms`,
  };
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const args = [...given.map(([name, value]) => `--${name}=${value}`), address];
  const running = promisify(execFile)(resolve('.tools/bin/ghz'), args, { maxBuffer: 2 ** 30 });
  if (yields) setPriority(running.child.pid as number, constants.priority.PRIORITY_LOW);
  return read(JSON.parse((await running).stdout));
}

/** The part of ghz's answer that is used here. Times are nanoseconds. */
interface Answer {
  readonly count: number;
  readonly total: number;
  readonly statusCodeDistribution: Readonly<Record<string, number>>;
  readonly details: readonly { readonly latency: number; readonly status: string }[];
}

function read({ count: calls, total, statusCodeDistribution, details }: Answer): ScenarioRun {
  const times = new Latencies();
  for (const { latency, status } of details) if (status === 'OK') times.record(latency / 1e6);
  const ok = statusCodeDistribution['OK'] ?? 0;
  const texts = Object.entries(statusCodeDistribution).map(([code, count]) => `${count} ${code}`);
  const okPerSecond = ok / (total / 1e9);
  return { calls, ok, okPerSecond, codes: texts.join(', '), times: times.percentiles };
}
