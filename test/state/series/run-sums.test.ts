import { describe, expect, test } from '@jest/globals';
import type { RequestContext } from '../../../src/core/context.js';
import { noFigures } from '../../../src/state/series/curve.js';
import { fuzzingFigures } from '../../../src/state/series/fuzzing-figures.js';
import { RunSums } from '../../../src/state/series/run-sums.js';
import type { Store } from '../../../src/store/store.js';
import { openStore, testContext } from '../../harness.js';
import { VirtualClock } from '../../virtual-clock.js';

const hourMs = 3_600_000;
const inBackground = <T>(_: string, work: (ctx: RequestContext) => Promise<T>) =>
  work(testContext());
const leases = { size: 0, countOfCampaign: () => 0 };

const key = (targetName: string) => ({
  ...{ project: 'png', targetName, campaign: 'night', engine: 'libfuzzer' },
});

/** Sums of a master, at most two with names of their own. */
async function sumsOf(store: Store, clock = new VirtualClock()) {
  const sums = new RunSums({ store, clock, inBackground }, 2);
  await sums.restore();
  const runs = (targetName: string, executions: number) => {
    const sum = sums.of(key(targetName));
    sum.add({ ...noFigures, running: 1, rate: 5, executions, coverage: 7 }, clock.now());
    return sum;
  };
  const shown = async () => {
    const { runs: series } = await fuzzingFigures({ store, leases, sums, inBackground });
    return Object.fromEntries(series.map(({ labels, executions }) => [labels.target, executions]));
  };
  return { sums, clock, runs, shown };
}

describe('sums of runs', () => {
  test('are shown as they are on disk, and go on after a kill without going down', async () => {
    const store = await openStore();
    const { sums, runs, shown } = await sumsOf(store);
    runs('a', 100);
    sums.settle();
    expect(await shown()).toEqual({ a: 0 });
    await sums.keep();
    expect(await shown()).toEqual({ a: 100 });
    runs('a', 11);
    // Killed here: what was never shown is lost.
    const next = await sumsOf(store);
    expect(await next.shown()).toEqual({ a: 100 });
    next.runs('a', 1);
    await next.sums.keep();
    expect(await next.shown()).toEqual({ a: 101 });
  });

  test('beyond the bound are one, after a restart too', async () => {
    const store = await openStore();
    const { sums, runs, shown } = await sumsOf(store);
    for (const [index, target] of ['a', 'b', 'c', 'd'].entries()) runs(target, 10 + index);
    await sums.keep();
    const expected = { a: 10, b: 11, other: 25 };
    expect(await shown()).toEqual(expected);
    const next = await sumsOf(store);
    next.runs('c', 1);
    await next.sums.keep();
    expect(await next.shown()).toEqual({ ...expected, other: 26 });
    next.sums.settle();
    const rest = [...next.sums.all()].find((sum) => sum.key.engine === 'other');
    expect(rest?.latest).toMatchObject({ running: 1, rate: 5, coverage: 0 });
  });

  test('that are quiet for an hour and have no run make room', async () => {
    const store = await openStore();
    const { sums, clock, runs, shown } = await sumsOf(store);
    runs('a', 1).users = 1;
    runs('b', 2);
    await sums.keep();
    clock.advance(hourMs + 1);
    runs('c', 3);
    await sums.keep();
    expect(await shown()).toEqual({ a: 1, c: 3 });
    expect(await (await sumsOf(store)).shown()).toEqual({ a: 1, c: 3 });
  });

  test('stay whole numbers that the database takes, whatever runs report', async () => {
    const store = await openStore();
    const { sums, runs, shown } = await sumsOf(store);
    for (let run = 0; run < 2000; run++) runs('a', Number.MAX_SAFE_INTEGER);
    runs('b', 1);
    await sums.keep();
    expect(await shown()).toEqual({ a: Number.MAX_SAFE_INTEGER, b: 1 });
    expect(await (await sumsOf(store)).shown()).toEqual(await shown());
  });

  test('write nothing while nothing is executed', async () => {
    const store = await openStore();
    let writes = 0;
    const counting: Pick<Store, 'run'> = {
      run: (ctx, operation, input) => {
        writes += 1;
        return store.run(ctx, operation, input);
      },
    };
    const sums = new RunSums({ store: counting, clock: new VirtualClock(), inBackground });
    sums.of(key('a')).add({ ...noFigures, running: 1 }, 0);
    sums.settle();
    await sums.keep();
    expect(writes).toBe(0);
  });

  test('count jobs of other campaigns together, also where one has that name', async () => {
    const store = await openStore();
    const { sums } = await sumsOf(store);
    sums.of(key('a'));
    sums.of({ ...key('b'), campaign: 'other' });
    const counts: Record<string, number> = { night: 2, other: 3 };
    const many = { size: 10, countOfCampaign: (of: string) => counts[of] ?? 0 };
    const figures = await fuzzingFigures({ store, leases: many, sums, inBackground });
    expect(figures.campaigns).toEqual([
      { campaign: 'night', pending: 0, running: 2 },
      { campaign: 'other', pending: 0, running: 8 },
    ]);
  });

  test('have names that stay apart on their way to a scraper', async () => {
    const { sums } = await sumsOf(await openStore());
    expect(sums.of(key('x\ud800'))).toBe(sums.of(key('x\ufffd')));
    expect(sums.of(key('x\n')).key.targetName).toBe('x\ufffd');
  });
});
