import { createHistogram } from 'node:perf_hooks';

/** What is kept of many times, milliseconds. */
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

  /** Milliseconds that a share `q` of the times did not exceed; NaN of none. */
  quantile(q: number): number {
    return this.#micros.count === 0 ? Number.NaN : this.#micros.percentile(q * 100) / 1000;
  }

  /** Milliseconds. */
  get longest(): number {
    return this.quantile(1);
  }

  get percentiles(): Percentiles {
    return {
      count: this.#micros.count,
      p50: this.quantile(0.5),
      p90: this.quantile(0.9),
      p99: this.quantile(0.99),
      p999: this.quantile(0.999),
      max: this.longest,
    };
  }
}
