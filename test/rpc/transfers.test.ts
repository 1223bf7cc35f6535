import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status as Code, type ServiceError } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { type Connection, connect } from '../../src/client/connect.js';
import { failureOf } from '../../src/client/failure.js';
import { downloadArtifact, uploadArtifact } from '../../src/client/transfer.js';
import { ArtifactKind } from '../../src/gen/pandafuzz/v1/artifact.js';
import { atEnd, runMasterFor, temporaryFolder } from '../harness.js';
import { eventually } from '../steps.js';
import { poorLine } from '../wire/poor-line.js';

const kind = ArtifactKind.TARGET;

function fileOf(sizeBytes: number) {
  const bytes = Buffer.concat([Buffer.from('#!/bin/sh\n'), randomBytes(sizeBytes - 10)]);
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, bytes);
  return { path, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** An upload that sends its beginning, and then nothing more. */
function stalled({ artifacts }: Connection, { bytes, sha256 }: ReturnType<typeof fileOf>) {
  const { promise, resolve } = Promise.withResolvers<ServiceError | undefined>();
  const call = artifacts.uploadArtifact((error) => resolve(error ?? undefined));
  atEnd(() => call.cancel());
  const header = { sha256, kind, name: 'x', sizeBytes: bytes.length, offsetBytes: 0, uploadId: '' };
  call.write({ message: { $case: 'header', value: header } });
  call.write({ message: { $case: 'chunk', value: bytes.subarray(0, 100_000) } });
  return promise;
}

function over(address: string): Connection {
  const connection = connect(address);
  atEnd(() => connection.close());
  return connection;
}

describe('an upload', () => {
  test('of which nothing moves ends, and the next try goes on where it was', async () => {
    const { connection } = await runMasterFor({ PANDAFUZZ_TIMEOUTS_STALLED_TRANSFER: '1s' });
    const file = fileOf(1_500_000);
    const failure = failureOf(await stalled(connection, file));
    expect(failure).toMatchObject({ code: Code.DEADLINE_EXCEEDED, reason: 'STALLED' });
    const { artifacts } = connection;
    const request = { sha256: file.sha256, uploadId: '' };
    const state = await unary(artifacts, artifacts.getUpload, request);
    expect(state).toEqual({ complete: false, receivedBytes: 100_000 });

    const sent: number[] = [];
    const options = { onProgress: (done: number) => sent.push(done) };
    await uploadArtifact(connection, { path: file.path, kind, name: 'x' }, options);
    expect(sent[0]).toBe(100_000 + 256 * 1024);
    expect(await unary(artifacts, artifacts.getUpload, request)).toMatchObject({ complete: true });
  });

  test('that stalls gives its place to one that waits', async () => {
    const { connection } = await runMasterFor({ PANDAFUZZ_LIMITS_MAX_TRANSFERS: '4' });
    const ended = [1, 2, 3].map(() => stalled(connection, fileOf(200_000)));
    const file = fileOf(1000);
    await eventually(() =>
      uploadArtifact(connection, { path: file.path, kind, name: 'y' }).catch((error) => {
        expect(failureOf(error)?.reason).toBe('OVERLOADED');
        return undefined;
      }),
    );
    expect(failureOf(await Promise.race(ended))?.reason).toBe('STALLED');
  });
});

describe('over a line that breaks', () => {
  test('a file goes up and comes down without beginning anew', async () => {
    const { master } = await runMasterFor();
    const line = await poorLine(master.grpc.port, { breaksAfterBytes: 1_500_000, breaks: 4 });
    const connection = over(line.address);
    const file = fileOf(4_000_000);
    await uploadArtifact(connection, { path: file.path, kind, name: 'x' });
    const path = join(temporaryFolder(), 'copy');
    await downloadArtifact(connection, file.sha256, path);
    expect(readFileSync(path).equals(file.bytes)).toBe(true);
    expect(line.breaksLeft()).toBe(0);
    // Each break may cost what was on its way: a message or two, and what grpc-js buffers.
    expect(line.carried()).toBeLessThan(2 * 4_000_000 + 4 * 1_600_000);
  });
});

describe('over a slow line', () => {
  test('a transfer may take many times as long as it may stall', async () => {
    const { master } = await runMasterFor({ PANDAFUZZ_TIMEOUTS_STALLED_TRANSFER: '2s' });
    const line = await poorLine(master.grpc.port, { bytesPerSecond: 500_000 });
    const connection = over(line.address);
    const file = fileOf(3_000_000);
    await uploadArtifact(connection, { path: file.path, kind, name: 'x' });
    const path = join(temporaryFolder(), 'copy');
    await downloadArtifact(connection, file.sha256, path);
    expect(readFileSync(path).equals(file.bytes)).toBe(true);
  });
});
