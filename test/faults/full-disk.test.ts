import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status as Code } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { failureOf } from '../../src/client/failure.js';
import { JobOutcome, JobState } from '../../src/gen/pandafuzz/v1/job.js';
import { atEnd, runMasterFor, temporaryFolder } from '../harness.js';
import { Process, place, reach } from '../processes.js';
import { createJob, eventually, pulledLease, uploadTarget } from '../steps.js';

/** A folder with so much room; undefined where this user may not mount one. */
function smallDisk(mib = 8): string | undefined {
  const folder = temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', folder], {
      stdio: 'ignore',
    });
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
  const settings = { PANDAFUZZ_LIMITS_MIN_DISK_FREE: '0B' };
  const { connection } = await runMasterFor(settings, join(disk, 'data'));
  const { sha256: targetSha256 } = await uploadTarget(connection, randomBytes(1000));
  const kept = await createJob(connection, { targetSha256 });

  const tooMuch = await fails(uploadTarget(connection, randomBytes(9 * 2 ** 20)));
  expect(tooMuch).toMatchObject({ code: Code.RESOURCE_EXHAUSTED, reason: 'DISK_FULL' });
  expect(tooMuch?.message).toMatch(/disk is full: free some space/);

  const filler = join(disk, 'filler');
  try {
    writeFileSync(filler, Buffer.alloc(9 * 2 ** 20));
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

const leastFree = 8 * 2 ** 20;

const freeOf = (disk: string) => {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
};

/** Fills the disk until so much is left. */
function fill(disk: string, leftBytes: number): () => void {
  const path = join(disk, `filler-${leftBytes}`);
  try {
    writeFileSync(path, Buffer.alloc(Math.max(0, freeOf(disk) - leftBytes)));
  } catch {
    // as much as there was room for
  }
  return () => rmSync(path);
}

test('below min_disk_free new things are refused, and what runs goes on, on a full disk too', async () => {
  const disk = smallDisk(32);
  if (disk === undefined) {
    console.warn('not tested: a full disk, as this user may not mount a tmpfs');
    return;
  }
  const { address, environment } = await place();
  const settings = {
    ...environment,
    PANDAFUZZ_DATA_DIRECTORY: join(disk, 'data'),
    PANDAFUZZ_LIMITS_MIN_DISK_FREE: `${leastFree / 2 ** 20}MiB`,
    PANDAFUZZ_DATABASE_PROBE_INTERVAL: '50ms',
  };
  const master = new Process(['master'], settings);
  const connection = await reach(address);
  const { sha256: targetSha256 } = await uploadTarget(connection, randomBytes(1000));
  const { id } = await createJob(connection, { targetSha256 });
  const { id: other } = await createJob(connection, { targetSha256 });
  const lease = await pulledLease(connection);
  const reserve = join(disk, 'data', 'reserve');
  expect(existsSync(reserve)).toBe(true);

  const empty = fill(disk, leastFree / 2);
  for (const refused of [
    () => uploadTarget(connection, randomBytes(2000)),
    () => createJob(connection, { targetSha256 }),
  ]) {
    const failure = await eventually(() => fails(refused()));
    expect(failure).toMatchObject({ code: Code.RESOURCE_EXHAUSTED, reason: 'DISK_FULL' });
    expect(failure?.message).toMatch(/limits.min_disk_free: 8388608 bytes stay free.*free some/);
  }

  const emptyMore = fill(disk, 0);
  await eventually(async () => (existsSync(reserve) ? undefined : true));
  const { jobs } = connection;
  const result = { outcome: JobOutcome.COMPLETED, message: 'done', statistics: undefined };
  await unary(jobs, jobs.completeJob, { lease, result });

  master.end('SIGKILL');
  await master.exited;
  fill(disk, 0);
  const next = new Process(['master'], settings);
  const again = await reach(address);
  const read = async (jobId: string) =>
    (await unary(again.jobs, again.jobs.getJob, { jobId })).job?.state;
  const states = new Set([await read(id), await read(other)]);
  expect(states).toEqual(new Set([JobState.COMPLETED, JobState.PENDING]));

  emptyMore();
  empty();
  rmSync(join(disk, 'filler-0'), { force: true });
  await eventually(() => createJob(again, { targetSha256 }).catch(() => undefined));
  await eventually(async () => existsSync(reserve) || undefined);
  next.end('SIGTERM');
  await next.exited;
});
