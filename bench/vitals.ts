import { setTimeout as sleep } from 'node:timers/promises';
import type { Percentiles } from './latencies.js';
import type { Figure } from './measure.js';
import type { ServerProcess } from './processes.js';

/** How a server was while something went on. What only a master tells is undefined of others. */
export interface Vitals extends Sizes {
  readonly seconds: number;
  /** Of all its threads. */
  readonly cpuSeconds: number;
  /** Of one core, 1 being all of it. */
  readonly busy: number;
  /** How late timers of its main thread fired. */
  readonly loopDelay: Percentiles | undefined;
}

/** Looked at once a second, and at the beginning and the end; the largest of what was seen. */
interface Sizes {
  readonly residentBytes: number;
  /** Writes that wait for the database. */
  readonly queueDepth: number | undefined;
  readonly walBytes: number | undefined;
}

const lookEveryMs = 1000;

/** The worst of each part of this run, by its p99. */
const loopDelays = new Map<string, Percentiles>();

/** `part`: what went on, for the report. */
export function noteLoopDelay(part: string, loopDelay: Percentiles | undefined): void {
  const worst = loopDelays.get(part)?.p99 ?? Number.NEGATIVE_INFINITY;
  if (loopDelay && loopDelay.p99 > worst) loopDelays.set(part, loopDelay);
}

/** Does `work` with an eye on the server. `part`: what goes on, for the report. */
export async function watchVitals<T>(
  server: ServerProcess,
  part: string,
  work: () => Promise<T>,
): Promise<{ result: T; vitals: Vitals }> {
  const over = new AbortController();
  const measure = async () => {
    server.watchLoop();
    const [usedBefore, startedAt] = [server.cpuSeconds(), performance.now()];
    const result = await work();
    const seconds = (performance.now() - startedAt) / 1000;
    const cpuSeconds = server.cpuSeconds() - usedBefore;
    return { result, seconds, cpuSeconds, loopDelay: await server.loopDelay() };
  };
  const [{ result, ...measured }, sizes] = await Promise.all([
    measure().finally(() => over.abort()),
    largestOf(server, over.signal),
  ]);
  const { loopDelay, seconds, cpuSeconds } = measured;
  noteLoopDelay(part, loopDelay);
  return { result, vitals: { ...measured, ...sizes, busy: cpuSeconds / seconds } };
}

/**
 * The worst part, and not the p99 of all of them together: in that, quiet parts
 * would make up for busy ones.
 *
 * @returns undefined when nothing was watched
 */
export function worstLoopDelay(): Figure | undefined {
  const byP99 = [...loopDelays].sort(([, a], [, b]) => b.p99 - a.p99);
  const worst = byP99[0]?.[1];
  if (!worst) return undefined;
  const { p50, p99, max } = worst;
  return {
    name: 'event-loop delay of the master, p99 of its worst part',
    ...{ value: p99, spread: [p50, max], unit: 'ms', target: { is: '<', bound: 10 } },
    detail: `${byP99.map(([part, one]) => `${part} ${one.p99.toFixed(1)}`).join(', ')}; spread: median to longest of the worst`,
    percentiles: worst,
  };
}

async function largestOf(server: ServerProcess, signal: AbortSignal): Promise<Sizes> {
  let largest = await sizesOf(server);
  while (!signal.aborted) {
    await sleep(lookEveryMs, undefined, { signal }).catch(() => {});
    const { residentBytes, queueDepth, walBytes } = await sizesOf(server);
    largest = {
      residentBytes: Math.max(largest.residentBytes, residentBytes),
      queueDepth: queueDepth && Math.max(largest.queueDepth ?? 0, queueDepth),
      walBytes: walBytes && Math.max(largest.walBytes ?? 0, walBytes),
    };
  }
  return largest;
}

async function sizesOf(server: ServerProcess): Promise<Sizes> {
  const residentBytes = server.residentBytes();
  if (server.http === undefined)
    return { residentBytes, queueDepth: undefined, walBytes: undefined };
  const page = await (await fetch(`http://${server.http}/metrics`)).text();
  return {
    residentBytes,
    queueDepth: sumOf(page, 'database_queue_depth'),
    walBytes: sumOf(page, 'database_wal_bytes'),
  };
}

/** Of all the labels of a metric. @throws Error when it is not there: a figure must not be made up */
function sumOf(page: string, metric: string): number {
  const values = [...page.matchAll(new RegExp(`^${metric}(?:\\{.*\\})? (\\S+)$`, 'gm'))];
  if (values.length === 0) throw new Error(`the master tells no ${metric}`);
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}
