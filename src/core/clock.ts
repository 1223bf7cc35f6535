import type { Signal } from './signal.js';

/**
 * Time for every part. Rules never read a system clock by themselves, so tests can pass a
 * virtual one.
 */
export interface Clock {
  /**
   * Milliseconds since 1970, for records and for times that outlive the process.
   * Whole, and steady: setting the system's clock does not move it.
   */
  now(): number;
  /** Milliseconds from an arbitrary start, never stepping back. For deadlines and leases. */
  monotonic(): number;
  /** Calls `fire` once after `delayMs`; `unref` lets the process end before that. */
  schedule(delayMs: number, fire: () => void, options?: { unref?: boolean }): Timer;
}

export interface Timer {
  /** Idempotent; after it, `fire` is never called. */
  cancel(): void;
}

/** setTimeout counts in signed 32-bit milliseconds; beyond that it fires at once. */
const longestTimeoutMs = 2 ** 31 - 1;

/** The wall clock at the start of the process, moved on by the monotonic clock. */
const beganAt = Date.now() - performance.now();

export const systemClock: Clock = {
  now: () => Math.floor(beganAt + performance.now()),
  monotonic: () => performance.now(),
  schedule(delayMs, fire, options) {
    const handle = setTimeout(fire, Math.min(Math.max(delayMs, 0), longestTimeoutMs));
    if (options?.unref) handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/**
 * Resolves after `delayMs`, or rejects with the signal's reason as soon as it
 * aborts. Leaves neither timer nor listener behind.
 */
export function sleep(clock: Clock, delayMs: number, signal: Signal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = () => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = clock.schedule(delayMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
