import type { Metric, Registry } from 'prom-client';

/** One line of /metrics. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/**
 * A metric that exists on a scrape alone: nothing is kept of it in between, so that a series
 * that is over has no line. prom-client escapes the values of labels.
 */
export function readMetric(
  registry: Registry,
  about: { readonly name: string; readonly help: string; readonly type: 'counter' | 'gauge' },
  read: () => Promise<Iterable<Sample>> | Iterable<Sample>,
): void {
  const get = async () => {
    const values = [...(await read())].map(([labels, value]) => ({ labels, value }));
    return { ...about, values, aggregator: 'sum' };
  };
  const metric: unknown = { ...about, get };
  registry.registerMetric(metric as Metric);
}
