import { createHistogram } from 'node:perf_hooks';
import type { Figure } from './measure.js';

const intervalMs = 5;

/**
 * How late a timer of this thread fires while it is watched. Not Node's own
 * monitor: switched on again, that counts the time it was off as one delay.
 */
export class LoopDelay {
  readonly #micros = createHistogram();

  async watch<T>(work: () => Promise<T>): Promise<T> {
    let expectedAt = performance.now() + intervalMs;
    const timer = setInterval(() => {
      const now = performance.now();
      this.#micros.record(Math.max(Math.round((now - expectedAt) * 1000), 1));
      expectedAt = now + intervalMs;
    }, intervalMs);
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  }

  figure(name: string): Figure {
    const { min, max } = this.#micros;
    return {
      ...{ name, value: this.#micros.percentile(99) / 1000, unit: 'ms' },
      ...{ spread: [min / 1000, max / 1000], target: { is: '<', bound: 10 } },
      detail: 'p99, with the making of the load on the same thread; spread: shortest to longest',
    };
  }
}
