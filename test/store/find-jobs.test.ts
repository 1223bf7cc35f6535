import { expect, test } from '@jest/globals';
import { firstIdOf } from '../../src/core/ids.js';
import { createJob } from '../../src/store/ops/jobs/create-job.js';
import { findJobs, type JobFilter } from '../../src/store/ops/jobs/find-jobs.js';
import type { Store } from '../../src/store/store.js';
import { openStore, testContext } from '../harness.js';
import { jobInput, withTarget } from './inputs.js';

const idOf = (ms: number) => `${firstIdOf(ms)}-7000-8000-000000000000`;
const count = 700;
/** Work on crashes comes in a block, so that the two halves of a target's list end apart. */
const isWork = (at: number) => at >= 100 && at < 500;

/** What all pages have together. */
async function all(store: Store, filter: JobFilter, sinceId = '') {
  const ids: string[] = [];
  for (let beforeId = 'g', pages = 0; pages < 1000; pages++) {
    const read = await store.run(testContext(), findJobs, { filter, sinceId, beforeId, limit: 70 });
    ids.push(...read.jobs.map(({ id }) => id));
    if (read.isEnd || !read.lastId) return ids;
    beforeId = read.lastId;
  }
  throw new Error('the list has no end');
}

test('jobs of a target are found once each, newest first, in pages of any kind of job', async () => {
  const store = await openStore();
  await withTarget(store);
  const targetOf = (at: number) => (at % 2 === 0 ? 'even' : 'odd');
  await Promise.all(
    Array.from({ length: count }, (_, at) =>
      store.run(testContext(), createJob, {
        ...jobInput({ id: idOf(at) }),
        ...{ targetName: targetOf(at), campaign: at % 10 === 0 ? 'tens' : '' },
        kind: isWork(at) ? ('verify' as const) : ('fuzz' as const),
      }),
    ),
  );
  const expected = (passes: (at: number) => boolean) =>
    Array.from({ length: count }, (_, at) => count - 1 - at)
      .filter(passes)
      .map(idOf);
  const even = { project: 'default', targetName: 'even' };
  expect(await all(store, even)).toEqual(expected((at) => at % 2 === 0));
  expect(await all(store, { targetName: 'odd' })).toEqual(expected((at) => at % 2 === 1));
  expect(await all(store, { ...even, campaign: 'tens' })).toEqual(expected((at) => at % 10 === 0));
  expect(await all(store, even, firstIdOf(650))).toEqual(
    expected((at) => at >= 650 && at % 2 === 0),
  );
  expect(await all(store, { state: 'pending', project: 'other' })).toEqual([]);
});
