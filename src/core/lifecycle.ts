import { systemClock } from './clock.js';
import type { Logger } from './log.js';

/**
 * Owns the parts of a process that have to be stopped, in the order they were
 * started, and stops them in the reverse.
 */
export class Lifecycle {
  readonly #parts: { name: string; stop: () => Promise<void> | void }[] = [];
  #stopping: Promise<void> | undefined;

  constructor(private readonly log: Logger) {}

  /** From now on `stop` is called, once, when this lifecycle stops. */
  own(name: string, stop: () => Promise<void> | void): void {
    this.#parts.push({ name, stop });
  }

  /**
   * Idempotent. A part that fails to stop is logged and passed over; one that is
   * not done when `graceMs` are up is left behind, and the rest stopped still.
   */
  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stopAll(systemClock.monotonic() + graceMs);
    return this.#stopping;
  }

  async #stopAll(deadline: number): Promise<void> {
    for (const part of this.#parts.reverse()) {
      try {
        const leftMs = Math.max(deadline - systemClock.monotonic(), 50);
        await within(leftMs, part.stop());
      } catch (error) {
        this.log.error({ err: error, part: part.name }, 'a part did not stop cleanly');
      }
    }
  }
}

async function within(limitMs: number, work: Promise<void> | void): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = systemClock.schedule(limitMs, () =>
    late.reject(new Error(`still not stopped after ${Math.round(limitMs)} ms`)),
  );
  try {
    await Promise.race([work, late.promise]);
  } finally {
    timer.cancel();
  }
}
