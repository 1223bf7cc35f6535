import { expect, test } from '@jest/globals';
import { getCrashGroup } from '../../src/store/ops/crashes/get-crash-group.js';
import { countCrash, recordCrash } from '../../src/store/ops/crashes/record-crash.js';
import { createJob } from '../../src/store/ops/jobs/create-job.js';
import { claimJob } from '../../src/store/ops/scheduling/claim-job.js';
import { openStore, testContext } from '../harness.js';
import { claimInput, crashInput, jobInput, withBot, withTarget } from './inputs.js';

test('a job’s crashes are kept up to its limits, and counted beyond them', async () => {
  const store = await openStore();
  await withTarget(store);
  const botId = await withBot(store);
  await store.run(testContext(), createJob, jobInput());
  const lease = await store.run(testContext(), claimJob, claimInput(botId));
  if (!lease) throw new Error('no job');
  const limits = { crashes: 4, bytes: 1000 };
  const crash = (name: string, signature = 's') => ({
    ...crashInput(lease, name, signature),
    limits,
  });
  const record = (name: string, signature?: string) =>
    store.run(testContext(), recordCrash, crash(name, signature));

  const first = await record('1');
  for (const name of ['2', '3', '4']) expect((await record(name)).duplicate).toBe(false);

  // Of the group that it has met: counted, and its input is not asked for.
  const fifth = await store.run(testContext(), countCrash, crash('5'));
  expect(fifth).toMatchObject({ crashId: first.crashId, duplicate: true });
  expect(await record('6')).toMatchObject({ crashId: first.crashId, duplicate: true });
  const group = await store.run(testContext(), getCrashGroup, {
    id: first.groupId,
    similar: 0,
    builds: 1,
  });
  expect(JSON.stringify(group)).toMatch(/"count":4/);
  expect(JSON.stringify(group)).toMatch(/"hits":6/);

  // Of another group: one more is kept, a quarter of the limit, and no other.
  expect(await store.run(testContext(), countCrash, crash('7', 'new'))).toBeUndefined();
  expect(await record('7', 'new')).toMatchObject({ newGroup: true });
  await expect(record('8', 'newer')).rejects.toThrow(/limits.max_crashes_per_job: 4/);
  expect(await record('9', 'new')).toMatchObject({ duplicate: true });
});
