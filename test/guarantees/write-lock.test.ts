import { expect, test } from '@jest/globals';
import { JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { listJobs } from '../../src/operator/lists.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { createJob, metric, uploadTarget } from '../steps.js';
import { lockFromOutside } from './second-process.js';

const writers = 20;

test('write lock: reads and retries go on while it is held, writes wait for it, and succeed', async () => {
  const directory = temporaryFolder();
  const settings = {
    PANDAFUZZ_DATABASE_MAX_RETRIES: '1000',
    PANDAFUZZ_DATABASE_MAX_RETRY_DELAY: '50ms',
  };
  const { connection, master } = await runMasterFor(settings, directory);
  const { sha256: targetSha256 } = await uploadTarget(connection);
  const filter = { state: JobState.UNSPECIFIED, limit: 1000 };
  const retries = () => metric(master, 'database_retry_count');

  const { release } = await lockFromOutside(directory);
  const written: string[] = [];
  const writing = Array.from({ length: writers }, async () => {
    written.push((await createJob(connection, { targetSha256 })).id);
  });
  // As long as the lock is held: a master that stood still would never get this far.
  for (let reads = 0; reads < 100; reads++) {
    expect(await listJobs(connection, filter)).toEqual([]);
  }
  const retriesBefore = await retries();
  while ((await retries()) < retriesBefore + 3 * writers) await listJobs(connection, filter);
  expect(written).toEqual([]);

  await release();
  await Promise.all(writing);
  const stored = (await listJobs(connection, filter)).map(({ id }) => id);
  expect(stored).toHaveLength(writers);
  expect(new Set(stored)).toEqual(new Set(written));
});
