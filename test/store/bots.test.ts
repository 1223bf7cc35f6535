import { describe, expect, test } from '@jest/globals';
import { newId } from '../../src/core/ids.js';
import { forgetBot } from '../../src/store/ops/bots/forget-bot.js';
import { forgetUnseen, pruneForgotten } from '../../src/store/ops/bots/prune-bots.js';
import { createJob } from '../../src/store/ops/jobs/create-job.js';
import { getJobLog, keepJobLog, mostKeptLogs } from '../../src/store/ops/jobs/job-logs.js';
import { claimJob } from '../../src/store/ops/scheduling/claim-job.js';
import type { Store } from '../../src/store/store.js';
import { openStore, testContext } from '../harness.js';
import { claimInput, jobInput, withBot, withTarget } from './inputs.js';

const prune = (store: Store) => store.run(testContext(), pruneForgotten, { after: '', limit: 10 });

describe('the row of a forgotten bot', () => {
  test('is deleted, and only when no job names it', async () => {
    const store = await openStore();
    await withTarget(store);
    const [idle, busy] = [await withBot(store, 'idle'), await withBot(store, 'busy')];
    await store.run(testContext(), createJob, jobInput());
    await store.run(testContext(), claimJob, claimInput(busy));
    await store.run(testContext(), forgetBot, { botId: idle, now: 2 });
    expect(await prune(store)).toEqual({ removed: 1, next: '' });
    expect(await prune(store)).toEqual({ removed: 0, next: '' });
    const gone = { ids: [busy], olderThan: 1000, now: 1000 };
    expect(await store.run(testContext(), forgetUnseen, gone)).toBe(0); // it holds a lease
    expect(await prune(store)).toEqual({ removed: 0, next: '' });
  });

  test('is looked at a slice at a time', async () => {
    const store = await openStore();
    for (let i = 0; i < 5; i++) {
      const botId = await withBot(store, `bot-${i}`);
      await store.run(testContext(), forgetBot, { botId, now: 2 });
    }
    const slice = (after: string) => store.run(testContext(), pruneForgotten, { after, limit: 3 });
    const first = await slice('');
    expect(first.removed).toBe(3);
    expect(await slice(first.next)).toEqual({ removed: 2, next: '' });
  });
});

test('logs of failed attempts are kept for the newest jobs only', async () => {
  const store = await openStore();
  await withTarget(store);
  const botId = await withBot(store);
  const jobId = newId();
  await store.run(testContext(), createJob, jobInput({ id: jobId }));
  const claimed = await store.run(testContext(), claimJob, claimInput(botId));
  const fence = claimed?.fence ?? 0;
  const keep = (id: string, log: string) =>
    store.run(testContext(), keepJobLog, { jobId: id, fence, log });
  await keep(jobId, 'Zmlyc3Q=');
  await keep(jobId, 'c2Vjb25k');
  expect(await store.run(testContext(), getJobLog, jobId)).toMatchObject({
    log: 'c2Vjb25k',
    bot_id: botId,
  });
  for (let i = 0; i < mostKeptLogs; i += 100) {
    await Promise.all(Array.from({ length: 100 }, () => keep(newId(), '')));
  }
  expect(await store.run(testContext(), getJobLog, jobId)).toBeUndefined();
});
