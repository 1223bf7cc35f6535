import { copyFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type Clock, systemClock } from '../../../src/core/clock.js';
import { backgroundRunner } from '../../../src/core/context.js';
import { silentLog } from '../../../src/core/log.js';
import { Epochs } from '../../../src/state/upkeep/epochs.js';
import { completeJob } from '../../../src/store/ops/jobs/complete-job.js';
import { createJob } from '../../../src/store/ops/jobs/create-job.js';
import { releaseLease } from '../../../src/store/ops/leases/release-lease.js';
import { claimJob } from '../../../src/store/ops/scheduling/claim-job.js';
import { markAlive } from '../../../src/store/ops/upkeep/mark-alive.js';
import type { Store } from '../../../src/store/store.js';
import { openStore, temporaryFolder, testContext } from '../../harness.js';
import { inProcess } from '../../in-process.js';
import {
  claimInput,
  completeInput,
  jobInput,
  noPause,
  tick,
  withBot,
  withTarget,
} from '../../store/inputs.js';

/** A master's store in this folder, after what a start does about epochs. */
async function started(directory: string, clock: Clock = systemClock) {
  const store = await openStore({ connect: inProcess, directory });
  const inBackground = backgroundRunner({ timeoutMs: 30_000, log: silentLog });
  const epochs = new Epochs({ store, clock, log: silentLog, inBackground });
  await epochs.open();
  await epochs.marked(await store.run(testContext(), markAlive, tick()));
  return store;
}

const fenceOfClaim = async (store: Store, botId: string) =>
  (await store.run(testContext(), claimJob, claimInput(botId)))?.fence ?? 0;

async function giveBack(store: Store, jobId: string, fence: number) {
  const rest = { outcome: 'lost', statistics: null, message: 'gone', ...noPause } as const;
  await store.run(testContext(), releaseLease, { jobId, fence, ...rest, now: tick() });
}

async function copyTo(store: Store, path: string) {
  const copy = await store.copy(testContext());
  const chunks: Buffer[] = [];
  for await (const chunk of copy.read(65_536)) chunks.push(chunk);
  await copy.remove();
  await writeFile(path, Buffer.concat(chunks));
}

/** A job under its first lease. */
async function leasedJob(directory: string) {
  const store = await started(directory);
  await withTarget(store);
  const [first, second] = [await withBot(store, 'first'), await withBot(store, 'second')];
  const job = jobInput();
  await store.run(testContext(), createJob, job);
  expect(await fenceOfClaim(store, first)).toBe(1);
  return { store, second, jobId: job.id };
}

function putBack(backup: string, directory: string) {
  for (const name of ['pandafuzz.db-wal', 'pandafuzz.db-shm'])
    rmSync(join(directory, name), { force: true });
  copyFileSync(backup, join(directory, 'pandafuzz.db'));
}

describe('a database that was put back', () => {
  test('gives out fences above every one before, and refuses the results of those', async () => {
    const directory = temporaryFolder();
    const { store, second, jobId } = await leasedJob(directory);
    const backup = join(temporaryFolder(), 'copy.db');
    await copyTo(store, backup);
    // After the backup, in the same process: the second bot gets the job.
    await giveBack(store, jobId, 1);
    expect(await fenceOfClaim(store, second)).toBe(2);
    await store.close();

    putBack(backup, directory);
    const restored = await started(directory);
    await giveBack(restored, jobId, 1);
    const fence = await fenceOfClaim(restored, await withBot(restored, 'third'));
    expect(fence).toBeGreaterThan(1_000_000);
    const lost = completeInput({ id: jobId, attempt: 2, fence: 2 });
    await expect(
      restored.run(testContext(), completeJob, { ...lost, botId: second }),
    ).rejects.toThrow(/not the valid one/);
    await restored.close();

    // The same copy once more: also above what the first restore gave out.
    putBack(backup, directory);
    const again = await started(directory);
    await giveBack(again, jobId, 1);
    expect(await fenceOfClaim(again, second)).toBeGreaterThan(fence);
  });

  test('is not the same as another copy that was put back a tenth of a second before', async () => {
    const { store, jobId } = await leasedJob(temporaryFolder());
    const backup = join(temporaryFolder(), 'copy.db');
    await copyTo(store, backup);
    const fences: number[] = [];
    for (const laterMs of [0, 100]) {
      const folder = temporaryFolder();
      putBack(backup, folder);
      const now = Date.UTC(2026, 10, 28) + laterMs;
      const restored = await started(folder, { ...systemClock, now: () => now });
      await giveBack(restored, jobId, 1);
      fences.push(await fenceOfClaim(restored, await withBot(restored, 'third')));
    }
    expect(new Set(fences).size).toBe(2);
  });

  test('is noticed when its file was copied by hand, and when the folder is a new one', async () => {
    const directory = temporaryFolder();
    const { store, jobId, second } = await leasedJob(directory);
    await store.close();
    const backup = join(temporaryFolder(), 'cold.db');
    copyFileSync(join(directory, 'pandafuzz.db'), backup);
    const later = await started(directory);
    await giveBack(later, jobId, 1);
    expect(await fenceOfClaim(later, second)).toBe(2);
    await later.close();

    for (const folder of [directory, temporaryFolder()]) {
      putBack(backup, folder);
      const restored = await started(folder);
      await giveBack(restored, jobId, 1);
      expect(await fenceOfClaim(restored, second)).toBeGreaterThan(1_000_000);
      await restored.close();
    }
  });
});

test('a database that was only closed goes on with its fences', async () => {
  const directory = temporaryFolder();
  const { store, jobId, second } = await leasedJob(directory);
  await store.close();
  const next = await started(directory);
  await giveBack(next, jobId, 1);
  expect(await fenceOfClaim(next, second)).toBe(2);
});
