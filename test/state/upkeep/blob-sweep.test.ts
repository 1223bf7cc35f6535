import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { silentLog } from '../../../src/core/log.js';
import { createMetrics } from '../../../src/metrics.js';
import { BlobSweep } from '../../../src/state/upkeep/blob-sweep.js';
import { putArtifact } from '../../../src/store/ops/corpus/put-artifact.js';
import { openStore, temporaryFolder, testContext } from '../../harness.js';
import { inProcess } from '../../in-process.js';
import { sha256Of } from '../../store/blobs/shelf.js';
import { VirtualClock } from '../../virtual-clock.js';

const hourMs = 3_600_000;

test('an artifact without a job goes after its time, its bytes after the grace, and that is counted', async () => {
  const directory = temporaryFolder();
  const store = await openStore({ connect: inProcess, directory });
  const clock = new VirtualClock();
  const metrics = createMetrics();
  const sweep = new BlobSweep({
    store,
    clock,
    metrics,
    log: silentLog,
    inBackground: (_, work) => work(testContext()),
    ages: { artifacts: 10 * hourMs, blobs: hourMs, sweep_interval: hourMs },
  });
  const bytes = Buffer.from('a target');
  const [sha256, sizeBytes] = [sha256Of(bytes), bytes.length];
  const row = { sha256, kind: 'target' as const, name: 't', size_bytes: sizeBytes };
  const record = () => store.run(testContext(), putArtifact, { ...row, created_at: clock.now() });
  await store.blobs.keep(testContext(), { sha256, sizeBytes }, [bytes], record);
  const path = join(directory, 'blobs', sha256.slice(0, 2), sha256);

  /** Whether the bytes are there after a round, so many hours later. */
  const isThereAfter = async (hours: number) => {
    clock.advance(hours * hourMs);
    await sweep.sweep();
    return existsSync(path);
  };
  expect(await isThereAfter(9)).toBe(true);
  // Removed, and seen to be without references; then within the grace; then beyond it.
  expect(await isThereAfter(2)).toBe(true);
  expect(await isThereAfter(0.5)).toBe(true);
  expect(await isThereAfter(1)).toBe(false);
  expect((await metrics.blobsSweptBytes.get()).values[0]?.value).toBe(sizeBytes);
  expect(readdirSync(join(directory, 'blobs', sha256.slice(0, 2)))).toEqual([]);
  await sweep.stop();
});
