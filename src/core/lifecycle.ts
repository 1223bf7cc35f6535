import { systemClock } from './clock.js';
import type { Logger } from './log.js';

/**
 * Owns the started parts of a process, and stops them in reverse order.
 */
export class Lifecycle {
  readonly #parts: { name: string; stop: () => Promise<void> | void }[] = [];
  #stopping: Promise<void> | undefined;

  constructor(private readonly log: Logger) {}

  /** Adds a part. `stop` is called once, when this lifecycle stops. */
  own(name: string, stop: () => Promise<void> | void): void {
    this.#parts.push({ name, stop });
  }

  /**
   * Idempotent. A part that fails to stop is logged. A part that takes longer than
   * `graceMs` is left behind, and the others are stopped all the same.
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
        this.log.error({ err: error, part: part.name }, 'part stop failed');
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
