import type { Clock } from '../../core/clock.js';

/** Bots that are to beat together: all whose time comes within this. */
const togetherMs = 100;
/** Of a short interval, no larger part than this. */
const togetherShare = 0.1;
/** Its multiples, less their whole parts, lie evenly between 0 and 1, however many there are. */
const goldenRatio = (Math.sqrt(5) - 1) / 2;

/**
 * When bots are to beat. A beat that comes alone wakes a process that has lost its
 * place in the caches, and costs three times what it does in a crowd; all at once would
 * keep everybody else waiting. So each answer to a beat asks for the next one in time with
 * others: crowds ten times a second, as large as each other, whenever their bots have come.
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

  /** For the answer to a stream's first beat: bots that came together are spread over the interval. */
  firstInMs(): number {
    this.#share = (this.#share + goldenRatio) % 1;
    const leastMs = 2 * this.#togetherMs;
    return this.#inTime(leastMs + this.#share * (this.intervalMs - leastMs));
  }

  /** For the answer to any other. */
  nextInMs(): number {
    return this.#inTime(this.intervalMs);
  }

  /** The nearest moment to this that is in time, whole milliseconds from now. */
  #inTime(delayMs: number): number {
    const now = this.clock.monotonic();
    const at = Math.round((now + delayMs) / this.#togetherMs) * this.#togetherMs;
    return Math.round(at - now);
  }
}
