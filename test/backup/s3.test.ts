import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { takeBackup } from '../../src/backup/backup.js';
import { putBack } from '../../src/backup/restore.js';
import { unary } from '../../src/client/call.js';
import { downloadBackup } from '../../src/client/transfer.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { type S3Server, s3Options, startS3 } from '../s3/server.js';
import { createJob, pulledLease } from '../steps.js';
import { inputs, inputsOf, push, targetName } from './scene.js';

let server: S3Server;
beforeAll(async () => {
  server = await startS3();
});
afterAll(() => server.stop());

const { signal } = new AbortController();

test('a master with its blobs in S3 is backed up whole, or its records alone, and comes back', async () => {
  const { url, endpoint } = s3Options(server);
  const inS3 = { PANDAFUZZ_BLOBS_URL: url, PANDAFUZZ_BLOBS_ENDPOINT: endpoint };
  const home = temporaryFolder();
  const { connection, master } = await runMasterFor(inS3);
  const { system } = connection;
  await createJob(connection, { targetName });
  const lease = await pulledLease(connection);
  const all = inputs(30);
  await push(connection, lease, all);
  const stats = await unary(system, system.getSystemStats, {});
  expect(stats.blobStore).toEqual({ kind: 's3', location: url, failedRequests: 0 });

  const [whole, records] = [join(home, 'whole'), join(home, 'records.db')];
  const { tally } = await takeBackup(connection, whole, signal);
  expect(tally.lost).toEqual([]);
  expect(tally.blobs).toBeGreaterThanOrEqual(all.length);
  await downloadBackup(connection, records, { signal });
  await master.stop();

  const names = new Set(all.map(({ sha256 }) => sha256));
  const inFolder = join(home, 'in-folder');
  await putBack({ path: whole, directory: inFolder, mayReplace: false }, signal);
  await expect(runMasterFor(inS3, inFolder)).rejects.toThrow('has the blobs of another database');
  const restored = await runMasterFor({}, inFolder);
  expect(await inputsOf(restored.connection)).toEqual(names);
  await restored.master.stop();

  const alone = join(home, 'alone');
  const found = await putBack({ path: records, directory: alone, mayReplace: false }, signal);
  expect(found).toMatchObject({ bucketUrl: url, tally: { lostCount: 0 } });
  await expect(runMasterFor({}, alone)).rejects.toThrow(`blobs of this database are in ${url}`);
  rmSync(whole, { recursive: true });
  const again = await runMasterFor(inS3, alone);
  expect(await inputsOf(again.connection)).toEqual(names);
});
