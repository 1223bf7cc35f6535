import { systemClock } from '../core/clock.js';

/** Wakes those who wait for something to happen. */
export class Changes {
  #next = Promise.withResolvers<void>();

  wake(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
  }

  /** Until the next change, and no longer than `mostMs`. */
  async wait(mostMs: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = systemClock.schedule(mostMs, () => late.resolve());
    await Promise.race([this.#next.promise, late.promise]);
    timer.cancel();
  }
}
