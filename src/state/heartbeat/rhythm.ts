import type { Clock } from '../../core/clock.js';

/** Grid of beats: all that are due within this time are asked for at one moment. */
const togetherMs = 100;
/** Largest share of a short interval that the grid may be. */
const togetherShare = 0.1;
/** Fractional parts of its multiples are spread evenly over 0 to 1, whatever their number. */
const goldenRatio = (Math.sqrt(5) - 1) / 2;

/**
 * Times of beats. A beat that arrives alone finds cold caches and costs three times as much
 * as one among others; all beats at once would delay every other call. Each BeatAck therefore
 * proposes a time on a grid: ten groups of beats a second, of equal size, independent of the
 * moments at which bots connected.
 */
export class Rhythm {
  readonly #togetherMs: number;
  #share = 0;

  constructor(
    private readonly clock: Pick<Clock, 'monotonic'>,
    private readonly intervalMs: number,
  ) {
    this.#togetherMs = Math.min(togetherMs, intervalMs * togetherShare);
  }

  /** For a stream's first beat: spreads bots that connected together over the interval. */
  firstInMs(): number {
    this.#share = (this.#share + goldenRatio) % 1;
    const leastMs = 2 * this.#togetherMs;
    return this.#inTime(leastMs + this.#share * (this.intervalMs - leastMs));
  }

  /** For every other beat. */
  nextInMs(): number {
    return this.#inTime(this.intervalMs);
  }

  /** Milliseconds from now to the moment of the grid nearest to `delayMs`. */
  #inTime(delayMs: number): number {
    const now = this.clock.monotonic();
    const at = Math.round((now + delayMs) / this.#togetherMs) * this.#togetherMs;
    return Math.round(at - now);
  }
}
