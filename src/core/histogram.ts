import type { Metric, Registry } from 'prom-client';

/** Of one pair of labels. */
interface Series {
  /** What fell into each bucket, and last what was beyond them. */
  readonly counts: number[];
  sum: number;
}

/**
 * A histogram of two labels, for what every call tells: it counts by itself, and
 * prom-client asks it when somebody looks. prom-client's own makes a text of the labels
 * and looks for that, 1.2 us each time.
 *
 * Labels are of the code's making: each pair that was ever told is kept.
 */
export class PairHistogram {
  readonly type = 'histogram';
  readonly #series = new Map<string, Map<string, Series>>();

  readonly name: string;
  readonly help: string;
  readonly #labelNames: readonly [first: string, second: string];
  readonly #buckets: readonly number[];

  /** `buckets` are upper bounds, rising. */
  constructor(options: {
    readonly name: string;
    readonly help: string;
    readonly labelNames: readonly [first: string, second: string];
    readonly buckets: readonly number[];
    readonly registry: Registry;
  }) {
    this.name = options.name;
    this.help = options.help;
    this.#labelNames = options.labelNames;
    this.#buckets = options.buckets;
    options.registry.registerMetric(this as unknown as Metric);
  }

  observe(first: string, second: string, value: number): void {
    const series = this.#of(first, second);
    const buckets = this.#buckets;
    let bucket = 0;
    while (bucket < buckets.length && value > (buckets[bucket] as number)) bucket++;
    series.counts[bucket] = (series.counts[bucket] as number) + 1;
    series.sum += value;
  }

  /** As a registry of prom-client's asks for it. */
  async get() {
    const { name, help, type } = this;
    const values = [...this.#series].flatMap(([first, ofFirst]) =>
      [...ofFirst].flatMap(([second, series]) => this.#told(first, second, series)),
    );
    return { name, help, type, values, aggregator: 'sum' };
  }

  #of(first: string, second: string): Series {
    let ofFirst = this.#series.get(first);
    if (!ofFirst) {
      ofFirst = new Map();
      this.#series.set(first, ofFirst);
    }
    let series = ofFirst.get(second);
    if (!series) {
      series = { counts: new Array(this.#buckets.length + 1).fill(0), sum: 0 };
      ofFirst.set(second, series);
    }
    return series;
  }

  /** Each bucket counts what the smaller ones do too. */
  #told(first: string, second: string, { counts, sum }: Series) {
    const [firstName, secondName] = this.#labelNames;
    const labels = { [firstName]: first, [secondName]: second };
    let count = 0;
    const buckets = [...this.#buckets, '+Inf'].map((le, index) => {
      count += counts[index] as number;
      return { metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: count },
    ];
  }
}
