import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status as Code } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import type { Connection } from '../../src/client/connect.js';
import { type CorpusInput, corpusInput, pullCorpus, pushCorpus } from '../../src/client/corpus.js';
import { failureOf } from '../../src/client/failure.js';
import { sendMessages } from '../../src/client/send.js';
import { ArtifactKind } from '../../src/gen/pandafuzz/v1/artifact.js';
import type {
  UploadArtifactRequest,
  UploadArtifactResponse,
} from '../../src/gen/pandafuzz/v1/artifact_service.js';
import { Process, place, reach } from '../processes.js';
import { createJob, pulledLease, uploadTarget } from '../steps.js';
import { sha256Of } from '../store/blobs/shelf.js';

/*
 * Syncs of a real master, counted and made to fail by strace. The disk's own errors cannot be
 * had by other means.
 */

const hasStrace = (() => {
  try {
    execFileSync('strace', ['-D', '-f', '-o', '/dev/null', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    console.warn('not tested: syncs, as strace is missing or may not trace here');
    return false;
  }
})();
const traced = hasStrace ? test : test.skip;

/** Nothing is written by itself, and one thread does all work with files: strace counts by thread. */
const quiet = {
  UV_THREADPOOL_SIZE: '1',
  PANDAFUZZ_DATABASE_CHECKPOINT_INTERVAL: '1h',
  PANDAFUZZ_DATABASE_PROBE_INTERVAL: '1h',
};

/** A master under strace. @param options made of its data folder */
async function tracedMaster(options: (data: string) => readonly string[]) {
  const { address, directory, environment } = await place();
  const data = join(directory, 'data');
  const trace = join(directory, 'trace');
  const under = ['strace', '-D', '-f', '-y', '--seccomp-bpf', '-o', trace, ...options(data)];
  const master = new Process(['master'], { ...environment, ...quiet }, under);
  const connection = await reach(address);
  /** The lines of calls, once the master has ended. */
  const calls = async (): Promise<string[]> => {
    master.end('SIGTERM');
    await master.exited;
    return readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => line.includes('sync('));
  };
  return { connection, data, calls };
}

const newInputs = (count: number, bytes: number): CorpusInput[] =>
  Array.from({ length: count }, () => corpusInput(randomBytes(bytes)));

async function leaseOn(connection: Connection) {
  await createJob(connection, { targetName: 'traced' });
  return pulledLease(connection);
}

async function pulled(connection: Connection): Promise<string[]> {
  const names: string[] = [];
  for await (const { sha256 } of pullCorpus(connection, { targetName: 'traced' }))
    names.push(sha256);
  return names;
}

/** One try, as the client goes on after an error of the master. */
function uploadOnce({ artifacts }: Connection, bytes: Buffer): Promise<unknown> {
  const about = { sha256: sha256Of(bytes), sizeBytes: bytes.length, name: 'target' };
  const header = { ...about, kind: ArtifactKind.TARGET, offsetBytes: 0, uploadId: '' };
  const messages = async function* (): AsyncGenerator<UploadArtifactRequest> {
    yield { message: { $case: 'header', value: header } };
    yield { message: { $case: 'chunk', value: bytes } };
  };
  return sendMessages<UploadArtifactRequest, UploadArtifactResponse>(
    (metadata, callback) => artifacts.uploadArtifact(metadata, callback),
    messages(),
    {},
  );
}

const refusalOf = async (call: Promise<unknown>) =>
  failureOf(
    await call.then(
      () => undefined,
      (error: unknown) => error,
    ),
  );

traced('256 small inputs cost two syncs at most: of the pack, and of the database', async () => {
  const { connection, calls } = await tracedMaster(() => ['-e', 'trace=fsync,fdatasync']);
  const lease = await leaseOn(connection);
  const inputs = newInputs(4096, 300);
  for (let at = 0; at < inputs.length; at += 1024) {
    await pushCorpus(connection, lease, inputs.slice(at, at + 1024));
  }
  const lines = await calls();
  const isPack = (line: string) => line.includes('/packs');
  const first = lines.findIndex(isPack);
  // The commit that follows the last sync of a pack is the last of the push.
  const during = lines.slice(first, lines.findLastIndex(isPack) + 2);
  expect(during.filter(isPack).length).toBeGreaterThan(1);
  expect(during.filter((line) => line.includes('pandafuzz.db-wal')).length).toBeGreaterThan(1);
  expect(during.length).toBeLessThanOrEqual((2 * inputs.length) / 256);
});

traced(
  'a pack whose sync has failed is left behind, and what comes again is written anew',
  async () => {
    const { connection, data, calls } = await tracedMaster((folder) => [
      ...['-P', join(folder, 'blobs/packs/0000000001.pack')],
      ...['-e', 'trace=fsync,fdatasync', '-e', 'inject=fdatasync:error=EIO:when=2'],
    ]);
    const lease = await leaseOn(connection);
    const [first, second] = [newInputs(10, 300), newInputs(10, 300)];
    await pushCorpus(connection, lease, first);
    expect((await refusalOf(pushCorpus(connection, lease, second)))?.code).toBe(Code.INTERNAL);
    expect(await pulled(connection)).toEqual(first.map(({ sha256 }) => sha256));
    expect(await pushCorpus(connection, lease, second)).toEqual({ added: 10, known: 0 });
    const all = [...first, ...second].map(({ sha256 }) => sha256);
    expect(await pulled(connection)).toEqual(all);
    expect(readdirSync(join(data, 'blobs/packs'))).toEqual(['0000000001.pack', '0000000002.pack']);
    const lines = await calls();
    expect(lines.filter((line) => line.includes('INJECTED'))).toHaveLength(1);
    expect(lines).toHaveLength(2);
  },
);

traced('a pack that the disk has no room for is gone on with when there is some', async () => {
  const { connection, data } = await tracedMaster((folder) => [
    ...['-P', join(folder, 'blobs/packs/0000000001.pack')],
    ...['-e', 'trace=pwrite64', '-e', 'inject=pwrite64:error=ENOSPC:when=2'],
  ]);
  const lease = await leaseOn(connection);
  const [first, second] = [newInputs(10, 300), newInputs(10, 300)];
  await pushCorpus(connection, lease, first);
  expect(await refusalOf(pushCorpus(connection, lease, second))).toMatchObject({
    code: Code.RESOURCE_EXHAUSTED,
    reason: 'DISK_FULL',
  });
  expect(await pushCorpus(connection, lease, second)).toEqual({ added: 10, known: 0 });
  expect(await pulled(connection)).toEqual([...first, ...second].map(({ sha256 }) => sha256));
  expect(readdirSync(join(data, 'blobs/packs'))).toEqual(['0000000001.pack']);
});

traced(
  'a file whose folder could not be synced is not acknowledged before a sync of it',
  async () => {
    const bytes = randomBytes(5000);
    const name = sha256Of(bytes);
    const { connection, data, calls } = await tracedMaster((folder) => [
      ...['-P', join(folder, 'blobs', name.slice(0, 2))],
      ...['-e', 'trace=fsync,fdatasync', '-e', 'inject=fsync:error=EIO:when=1..2'],
    ]);
    const path = join(data, 'blobs', name.slice(0, 2), name);
    for (let tries = 0; tries < 2; tries++) {
      expect((await refusalOf(uploadOnce(connection, bytes)))?.code).toBe(Code.INTERNAL);
      expect(existsSync(path)).toBe(false);
    }
    expect((await uploadTarget(connection, bytes)).sha256).toBe(name);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    const results = (await calls()).map((line) => /INJECTED|= 0/.exec(line)?.[0]);
    expect(results).toEqual(['INJECTED', 'INJECTED', '= 0']);
  },
);

traced('a file that is there, and on disk, is not synced again', async () => {
  const bytes = randomBytes(5000);
  const name = sha256Of(bytes);
  const { connection, calls } = await tracedMaster((data) => [
    ...['-P', join(data, 'blobs', name.slice(0, 2)), '-e', 'trace=fsync,fdatasync'],
  ]);
  await uploadTarget(connection, bytes);
  await uploadTarget(connection, bytes);
  expect(await calls()).toHaveLength(1);
});

traced('a file of an earlier process is not acknowledged before a sync of its folder', async () => {
  const bytes = randomBytes(5000);
  const name = sha256Of(bytes);
  const folderOf = (data: string) => join(data, 'blobs', name.slice(0, 2));
  const { connection, data, calls } = await tracedMaster((folder) => [
    ...['-P', folderOf(folder)],
    ...['-e', 'trace=fsync,fdatasync', '-e', 'inject=fsync:error=EIO:when=1'],
  ]);
  // As a process that was killed between the name and the sync leaves it.
  writeFileSync(join(folderOf(data), name), bytes);
  expect((await refusalOf(uploadOnce(connection, bytes)))?.code).toBe(Code.INTERNAL);
  expect((await uploadTarget(connection, bytes)).sha256).toBe(name);
  const results = (await calls()).map((line) => /INJECTED|= 0/.exec(line)?.[0]);
  expect(results).toEqual(['INJECTED', '= 0']);
});
