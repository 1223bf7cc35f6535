import { systemClock } from '../core/clock.js';

/** Once all that a process has to stop is stopped, milliseconds. */
const mostMs = 1000;

/**
 * Runs what has parts that are stopped within a time. A thread or socket that was left behind then
 * does not keep the process.
 */
export async function thenEnd<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } finally {
    systemClock.schedule(mostMs, () => process.exit(), { unref: true });
  }
}
