import type { Metric, Registry } from 'prom-client';

/** Counts of one pair of labels. */
interface Series {
  /** Values in each bucket; the last entry counts values beyond all of them. */
  readonly counts: number[];
  sum: number;
}

/**
 * A histogram of two labels for values that every call observes. It counts by itself, and
 * prom-client reads it on a scrape. prom-client's own histogram builds a text of the labels
 * for each observation, which takes 1.2 us.
 *
 * Labels must come from a fixed set: every pair ever observed is kept.
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

  /** Called by prom-client's registry. */
  async get() {
    const { name, help, type } = this;
    const values = [...this.#series].flatMap(([first, ofFirst]) =>
      [...ofFirst].flatMap(([second, series]) => this.#valuesOf(first, second, series)),
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

  /** Buckets are cumulative, as Prometheus expects. */
  #valuesOf(first: string, second: string, { counts, sum }: Series) {
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
