import { createHistogram } from 'node:perf_hooks';

/** Summary of many times, milliseconds; NaN for each of no times. */
export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Times in an HDR histogram of microseconds: three digits of each, however many there are. */
export class Latencies {
  readonly #micros = createHistogram();

  record(tookMs: number): void {
    this.#micros.record(Math.max(Math.round(tookMs * 1000), 1));
  }

  /** Records the time that has passed since each of these, by `performance.now()`. */
  recordSince(...startedAtMs: readonly number[]): void {
    for (const at of startedAtMs) this.record(performance.now() - at);
  }

  get percentiles(): Percentiles {
    const { count } = this.#micros;
    const of = (share: number) =>
      count === 0 ? Number.NaN : this.#micros.percentile(share) / 1000;
    return { count, p50: of(50), p90: of(90), p99: of(99), p999: of(99.9), max: of(100) };
  }
}
