import { expect, test } from '@jest/globals';
import { Histogram, Registry } from 'prom-client';
import { PairHistogram } from '../../src/core/histogram.js';

const buckets = [0.001, 0.01, 0.1, 1];
const name = 'call_seconds';
const help = 'Time of a call.';

test("a histogram of two labels tells what prom-client's does", async () => {
  const [ours, theirs] = [new Registry(), new Registry()];
  const labelNames = ['endpoint', 'code'] as const;
  const pairs = new PairHistogram({ name, help, labelNames, buckets, registry: ours });
  const histogram = new Histogram({ name, help, labelNames, buckets, registers: [theirs] });
  for (let i = 0; i < 500; i++) {
    const [endpoint, code] = [`/Service/Method${i % 3}`, i % 7 === 0 ? 'NOT_FOUND' : 'OK'];
    const value = i % 10 === 0 ? (buckets[i % 4] as number) : 2 ** ((i % 14) - 12);
    pairs.observe(endpoint, code, value);
    histogram.observe({ endpoint, code }, value);
  }
  const linesOf = async (registry: Registry) => (await registry.metrics()).split('\n').sort();
  const lines = await linesOf(ours);
  expect(lines).toContain(`# TYPE ${name} histogram`);
  expect(lines).toEqual(await linesOf(theirs));
});

test('it tells nothing of what was never observed', async () => {
  const registry = new Registry();
  new PairHistogram({ name, help, labelNames: ['endpoint', 'code'], buckets, registry });
  expect(await registry.metrics()).toBe(`# HELP ${name} ${help}\n# TYPE ${name} histogram\n`);
});
