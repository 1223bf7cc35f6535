import { type Measured, mib, ofTimes, percent } from './figure.js';
import type { Percentiles } from './latencies.js';
import type { ServerProcess } from './processes.js';

/** A server while work went on: CPU of all its threads, 1 being a core; delays of its main one. */
export interface Watched<T> {
  readonly result: T;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly busy: number;
  readonly loopDelay: Percentiles;
  readonly words: string;
}

/** The worst loop delay of each part of this run, by its p99. */
const loopDelays = new Map<string, Percentiles>();

/** Measures a server while `work` goes on. `part`: a name for the work, for the report. */
export async function watch<T>(
  server: ServerProcess,
  part: string,
  work: () => Promise<T>,
  watchLoopEveryMs = 20,
): Promise<Watched<T>> {
  await server.look({ watchLoopEveryMs });
  const [usedBefore, startedAt] = [server.cpuSeconds(), performance.now()];
  const result = await work();
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuSeconds = server.cpuSeconds() - usedBefore;
  const { loopDelay, rssBytes } = await server.look();
  const isWorst = !(loopDelay.p99 <= (loopDelays.get(part)?.p99 ?? -1));
  if (server.kind === 'master' && isWorst) loopDelays.set(part, loopDelay);
  const busy = cpuSeconds / seconds;
  const late = `its event loop late by ${loopDelay.p99.toFixed(1)} ms at p99`;
  const sizes = `a write-ahead log of ${mib(server.walBytes())}, ${mib(rssBytes)} resident`;
  const words = `the ${server.kind} ${percent(busy)} busy, ${late}, ${sizes}`;
  return { result, seconds, cpuSeconds, busy, loopDelay, words };
}

/** Of the worst part: in the p99 of all parts together, quiet parts would hide a busy one. */
export function worstLoopDelay(): Measured | undefined {
  const parts = [...loopDelays].sort(([, a], [, b]) => b.p99 - a.p99);
  const words = parts.map(([part, { p99 }]) => `${part} ${p99.toFixed(1)}`).join(', ');
  return parts[0] && ofTimes(parts[0][1], words);
}
