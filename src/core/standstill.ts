import type { Clock } from './clock.js';

/** Told after so long, milliseconds, and then each `toldEveryMs`: what passes by itself is not worth a line. */
const toldAfterMs = 3000;
const toldEveryMs = 30_000;

/** Tells of work that is tried over and over and gets no further, once it has lasted a while. */
export class Standstill {
  #sinceMs: number | undefined;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  /** @param tell called with the last reason, and for how long there was one, milliseconds */
  constructor(
    private readonly clock: Clock,
    private readonly tell: (why: string, forMs: number) => void,
  ) {}

  /** A try has failed. */
  failed(why: string): void {
    const nowMs = this.clock.monotonic();
    this.#sinceMs ??= nowMs;
    const forMs = nowMs - this.#sinceMs;
    if (forMs < toldAfterMs || nowMs - this.#toldAtMs < toldEveryMs) return;
    this.#toldAtMs = nowMs;
    this.tell(why, Math.round(forMs));
  }

  gotFurther(): void {
    this.#sinceMs = undefined;
  }
}
