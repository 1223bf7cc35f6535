import { systemClock, type Timer } from '../../../src/core/clock.js';

/*
 * A fault lasts for a time, and a load has a pace: the only waits for time in the tests, and none
 * of them decides whether a row passes.
 */

/** Resolves after so long, or as soon as the signal aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      timer.cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer: Timer = systemClock.schedule(ms, end);
    signal?.addEventListener('abort', end, { once: true });
  });
}

export class Late extends Error {}

/** Rejects with `Late` when there is no answer after so long. */
export async function within<T>(ms: number, what: string, answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = systemClock.schedule(ms, () => late.reject(new Late(`no ${what} in ${ms} ms`)));
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    timer.cancel();
  }
}

/** Milliseconds since it was made. */
export function stopwatch(): () => number {
  const startedAt = systemClock.monotonic();
  return () => systemClock.monotonic() - startedAt;
}

/** The value below which this share of them lies. */
export function quantile(values: readonly number[], share: number): number {
  const inOrder = values.toSorted((a, b) => a - b);
  return inOrder[Math.min(inOrder.length - 1, Math.floor(inOrder.length * share))] ?? 0;
}
