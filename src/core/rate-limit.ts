import type { Clock } from './clock.js';

export interface Rate {
  /** How much may be taken at once. */
  readonly atOnce: number;
  /** How much comes back in each second. */
  readonly perSecond: number;
}

/** A token bucket: bounds how often something happens, and lets bursts through. */
export class RateLimit {
  #left: number;
  #atMs: number;

  constructor(
    private readonly rate: Rate,
    private readonly clock: Pick<Clock, 'monotonic'>,
  ) {
    this.#left = rate.atOnce;
    this.#atMs = clock.monotonic();
  }

  /** Takes `count`. @returns whether there was so much; if not, nothing is taken */
  take(count = 1): boolean {
    const now = this.clock.monotonic();
    const { atOnce, perSecond } = this.rate;
    this.#left = Math.min(atOnce, this.#left + ((now - this.#atMs) / 1000) * perSecond);
    this.#atMs = now;
    if (this.#left < count) return false;
    this.#left -= count;
    return true;
  }
}
