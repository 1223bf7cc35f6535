/** A figure over time, thinned as it is read: a curve of a year takes no more than one of an hour. */

/** Past so many points two become one each. */
const mostPoints = 400;

export interface CurvePoint {
  /** Begin of its bucket, ms since 1970. */
  readonly time: number;
  readonly value: number;
}

export interface Curve {
  /** From one point to the next, where nothing is missing in between. */
  readonly stepMs: number;
  readonly points: readonly CurvePoint[];
}

/** What stands for several values: their mean, or the largest of them. */
export type Merging = 'mean' | 'largest';

interface Bucket {
  readonly index: number;
  sum: number;
  count: number;
  largest: number;
}

/** Takes values in the order of their times. */
export class CurveInMaking {
  #stepMs: number;
  #beginMs: number | undefined;
  #buckets: Bucket[] = [];

  /** @param stepMs the least time between two values */
  constructor(
    stepMs: number,
    private readonly merging: Merging,
  ) {
    this.#stepMs = Math.max(1, stepMs);
  }

  add(time: number, value: number): void {
    this.#beginMs ??= time;
    this.#put({ index: this.#indexOf(time), sum: value, count: 1, largest: value });
    if (this.#buckets.length > mostPoints) this.#halve();
  }

  get curve(): Curve {
    const beginMs = this.#beginMs ?? 0;
    const points = this.#buckets.map(({ index, sum, count, largest }) => ({
      time: beginMs + index * this.#stepMs,
      value: this.merging === 'mean' ? sum / count : largest,
    }));
    return { stepMs: this.#stepMs, points };
  }

  #indexOf(time: number): number {
    return Math.max(0, Math.floor((time - (this.#beginMs ?? time)) / this.#stepMs));
  }

  #put(added: Bucket): void {
    const last = this.#buckets.at(-1);
    if (!last || last.index < added.index) {
      this.#buckets.push(added);
      return;
    }
    last.sum += added.sum;
    last.count += added.count;
    last.largest = Math.max(last.largest, added.largest);
  }

  #halve(): void {
    const before = this.#buckets;
    this.#buckets = [];
    this.#stepMs *= 2;
    for (const bucket of before) this.#put({ ...bucket, index: Math.floor(bucket.index / 2) });
  }
}
