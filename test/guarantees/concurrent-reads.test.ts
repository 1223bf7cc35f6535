import { expect, test } from '@jest/globals';
import { createMetrics } from '../../src/metrics.js';
import { createJob } from '../../src/store/ops/jobs/create-job.js';
import { listJobs } from '../../src/store/ops/jobs/list-jobs.js';
import { flushBeats } from '../../src/store/ops/leases/flush-beats.js';
import { openStore, testContext } from '../harness.js';
import { jobInput, withTarget } from '../store/inputs.js';

const page = { beforeId: 'g', limit: 50 };

test('concurrent reads: all complete, side by side, while the writer commits without pause', async () => {
  const metrics = createMetrics();
  const store = await openStore({ metrics, readers: 4 });
  await withTarget(store);
  const ctx = testContext();
  for (let i = 0; i < 200; i++) await store.run(ctx, createJob, jobInput());

  let reading = true;
  let commits = 0;
  const writing = (async () => {
    for (; reading; commits++) await store.run(ctx, createJob, jobInput());
  })();
  let mostReaders = 0;
  const looking = (async () => {
    while (reading) {
      const { values } = await metrics.concurrentReaders.get();
      mostReaders = Math.max(mostReaders, values[0]?.value ?? 0);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const readers = Array.from({ length: 40 }, async () => {
    const lengths: number[] = [];
    for (let i = 0; i < 50; i++) lengths.push((await store.run(ctx, listJobs, page)).length);
    return lengths;
  });
  const lengths = (await Promise.all(readers)).flat();
  const commitsMeanwhile = commits;
  reading = false;
  await Promise.all([writing, looking]);
  expect(lengths).toEqual(Array(2000).fill(50));
  expect(mostReaders).toBeGreaterThan(1);
  expect(commitsMeanwhile).toBeGreaterThan(10);
});

test('concurrent reads: none waits for a write that is under way', async () => {
  const store = await openStore();
  await withTarget(store);
  const ctx = testContext();
  for (let i = 0; i < 60; i++) await store.run(ctx, createJob, jobInput());
  const bots = Array.from({ length: 100_000 }, () => ({ id: 'nobody', lastSeenAt: 1 }));
  let reading = true;
  let writes = 0;
  const writing = (async () => {
    for (; reading; writes++) await store.run(ctx, flushBeats, { bots, runs: [] });
  })();
  // Until five in a row began and ended within one and the same write: with waiting, none would.
  for (let [within, before] = [0, writes]; within < 5; ) {
    expect(await store.run(ctx, listJobs, page)).toHaveLength(50);
    within = writes === before ? within + 1 : 0;
    before = writes;
  }
  reading = false;
  await writing;
});
