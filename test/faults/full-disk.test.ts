import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status as Code } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { failureOf } from '../../src/client/failure.js';
import { atEnd, runMasterFor, temporaryFolder } from '../harness.js';
import { createJob, uploadTarget } from '../steps.js';

/** A folder with room for 3 MiB; undefined where this user may not mount one. */
function smallDisk(): string | undefined {
  const folder = temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  atEnd(() => execFileSync('umount', [folder]));
  return folder;
}

const fails = async (call: Promise<unknown>) =>
  failureOf(
    await call.then(
      () => undefined,
      (error: unknown) => error,
    ),
  );

test('a full disk is said in so many words, loses nothing, and passes', async () => {
  const disk = smallDisk();
  if (disk === undefined) {
    console.warn('not tested: a full disk, as this user may not mount a tmpfs');
    return;
  }
  const { connection } = await runMasterFor({}, join(disk, 'data'));
  const { sha256: targetSha256 } = await uploadTarget(connection, randomBytes(1000));
  const kept = await createJob(connection, { targetSha256 });

  const tooMuch = await fails(uploadTarget(connection, randomBytes(4 * 2 ** 20)));
  expect(tooMuch).toMatchObject({ code: Code.RESOURCE_EXHAUSTED, reason: 'DISK_FULL' });
  expect(tooMuch?.message).toMatch(/disk is full: free some space/);

  const filler = join(disk, 'filler');
  try {
    writeFileSync(filler, Buffer.alloc(4 * 2 ** 20));
  } catch {
    // as much as there was room for
  }
  let full: Awaited<ReturnType<typeof fails>>;
  for (let i = 0; i < 1000 && !full; i++)
    full = await fails(createJob(connection, { targetSha256 }));
  expect(full).toMatchObject({ code: Code.RESOURCE_EXHAUSTED, reason: 'DISK_FULL' });
  const { jobs } = connection;
  expect((await unary(jobs, jobs.getJob, { jobId: kept.id })).job?.id).toBe(kept.id);

  rmSync(filler);
  expect((await createJob(connection, { targetSha256 })).id).not.toBe('');
});
