import { createHistogram } from 'node:perf_hooks';

/** Summary of many times, milliseconds; NaN for each of no times. */
export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
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
    return { count, p50: of(50), p99: of(99), max: of(100) };
  }
}

/**
 * How late a timer of this thread fires while it is watched. Not Node's own
 * monitor: switched on again, that counts the time it was off as one delay.
 *
 * A loop that stood still for 100 ms fires one timer late, not five; the ones
 * left out are counted too, or long delays would hardly show. A look every 20 ms is
 * often enough for a p99 of seconds, and costs 0.6 % of a core.
 */
export class LoopDelay {
  readonly #latencies = new Latencies();
  #timer: NodeJS.Timeout | undefined;

  start(intervalMs = 20): void {
    this.stop();
    let expectedAt = performance.now() + intervalMs;
    this.#timer = setInterval(() => {
      const now = performance.now();
      const lateMs = Math.max(now - expectedAt, 0);
      for (let ms = lateMs; ms >= 0; ms -= intervalMs) this.#latencies.record(ms);
      expectedAt = now + intervalMs;
    }, intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  watch<T>(work: () => Promise<T>): Promise<T> {
    this.start();
    return work().finally(() => this.stop());
  }

  get percentiles(): Percentiles {
    return this.#latencies.percentiles;
  }
}
