import { setTimeout as sleep } from 'node:timers/promises';
import type { Percentiles } from './latencies.js';
import { often } from './loop-delay.js';
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
  readonly loopDelay: Percentiles;
}

/** The largest of what was seen: before, now and then meanwhile, and after. */
interface Sizes {
  readonly residentBytes: number;
  /** Writes that wait for the database. */
  readonly queueDepth: number | undefined;
  readonly walBytes: number | undefined;
}

/** A look at the metrics takes the master some 20 ms: as often as Prometheus is usually set to look. */
const lookEveryMs = 15_000;

/** The worst of each part of this run, by its p99: of the master, and of the bare server. */
const loopDelays = new Map<string, Percentiles>();
const bareLoopDelays = new Map<string, Percentiles>();

/** `part`: what went on, for the report. */
function noteLoopDelay({ http }: ServerProcess, part: string, loopDelay: Percentiles): void {
  const noted = http === undefined ? bareLoopDelays : loopDelays;
  const worst = noted.get(part)?.p99 ?? Number.NEGATIVE_INFINITY;
  if (loopDelay.p99 > worst) noted.set(part, loopDelay);
}

/**
 * What a server took of its core while `work` went on; `busy`: 1 is all of it. Its
 * event loop's delay is noted too, but its sizes are not asked for: telling them
 * costs a master what a baseline has not to pay.
 */
export async function whileBusy<T>(
  server: ServerProcess,
  work: () => Promise<T>,
  part = 'calls and streams at their most',
  lookAtLoopEveryMs = often,
): Promise<{ result: T } & Omit<Vitals, keyof Sizes>> {
  server.watchLoop(lookAtLoopEveryMs);
  const [usedBefore, startedAt] = [server.cpuSeconds(), performance.now()];
  const result = await work();
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuSeconds = server.cpuSeconds() - usedBefore;
  const loopDelay = await server.loopDelay();
  noteLoopDelay(server, part, loopDelay);
  return { result, seconds, cpuSeconds, busy: cpuSeconds / seconds, loopDelay };
}

/** Does `work` with an eye on the server. `part`: what goes on, for the report. */
export async function watchVitals<T>(
  server: ServerProcess,
  part: string,
  work: () => Promise<T>,
  lookAtLoopEveryMs = often,
): Promise<{ result: T; vitals: Vitals }> {
  const before = await sizesOf(server);
  const over = new AbortController();
  const [{ result, ...measured }, meanwhile] = await Promise.all([
    whileBusy(server, work, part, lookAtLoopEveryMs).finally(() => over.abort()),
    look(server, over.signal),
  ]);
  const sizes = largest([before, ...meanwhile, await sizesOf(server)]);
  return { result, vitals: { ...measured, ...sizes } };
}

/** Of a master, for the detail of a figure. */
export function inWords({ busy, loopDelay, queueDepth, walBytes, residentBytes }: Vitals): string {
  const mib = (bytes = Number.NaN) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  return [
    `the master ${(busy * 100).toFixed(0)} % busy`,
    `its event loop late by ${loopDelay.p99.toFixed(1)} ms at p99`,
    `at most ${queueDepth} writes queued`,
    `a WAL of ${mib(walBytes)}`,
    `${mib(residentBytes)} resident`,
  ].join(', ');
}

/**
 * The worst part, and not the p99 of all of them together: in that, quiet parts
 * would make up for busy ones.
 *
 * @returns undefined when nothing was watched
 */
export function worstLoopDelay(): Figure | undefined {
  const byP99 = [...loopDelays].sort(([, a], [, b]) => b.p99 - a.p99);
  const told = (parts: Iterable<[string, Percentiles]>) =>
    Array.from(parts, ([part, one]) => `${part} ${one.p99.toFixed(1)}`).join(', ');
  const bare = told(bareLoopDelays);
  const worst = byP99[0]?.[1];
  if (!worst) return undefined;
  const { p50, p99, max } = worst;
  return {
    name: 'event-loop delay of the master, p99 of its worst part',
    ...{ value: p99, spread: [p50, max], unit: 'ms', target: { is: '<', bound: 10 } },
    detail: `${told(byP99)}; ${bare && `the bare server under the same load: ${bare}; `}spread: median to longest of the worst`,
    percentiles: worst,
  };
}

async function look(server: ServerProcess, signal: AbortSignal): Promise<Sizes[]> {
  const seen: Sizes[] = [];
  for (;;) {
    await sleep(lookEveryMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return seen;
    seen.push(await sizesOf(server));
  }
}

function largest(seen: readonly Sizes[]): Sizes {
  const of = (size: (sizes: Sizes) => number | undefined) => {
    const sizes = seen.map(size).filter((one) => one !== undefined);
    return sizes.length === 0 ? undefined : Math.max(...sizes);
  };
  return {
    residentBytes: Math.max(...seen.map(({ residentBytes }) => residentBytes)),
    queueDepth: of(({ queueDepth }) => queueDepth),
    walBytes: of(({ walBytes }) => walBytes),
  };
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
