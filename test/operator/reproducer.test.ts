import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { Crash } from '../../src/gen/pandafuzz/v1/crash.js';
import {
  CrashServiceService,
  type DownloadCrashInputRequest,
  DownloadCrashInputResponse,
  type GetCrashRequest,
  type GetCrashResponse,
} from '../../src/gen/pandafuzz/v1/crash_service.js';
import { downloadReproducer } from '../../src/operator/reproducer.js';
import { temporaryFolder } from '../harness.js';
import { connectTo } from './wire.js';

const chunks = ['the ', 'input'].map((text) => Buffer.from(text));
const sha256 = createHash('sha256').update(Buffer.concat(chunks)).digest('hex');

/** A master with one crash that sends these chunks for it. */
function masterSending(sent: Buffer[], crash: Partial<Crash> = {}) {
  return connectTo([
    CrashServiceService,
    {
      getCrash(
        { request }: ServerUnaryCall<GetCrashRequest, GetCrashResponse>,
        answer: sendUnaryData<GetCrashResponse>,
      ) {
        answer(null, { crash: Crash.create({ id: request.crashId, kind: 'SEGV', ...crash }) });
      },
      downloadCrashInput(
        call: ServerWritableStream<DownloadCrashInputRequest, DownloadCrashInputResponse>,
      ) {
        call.write(DownloadCrashInputResponse.create({ sha256, sizeBytes: 9 }));
        for (const chunk of sent) call.write(DownloadCrashInputResponse.create({ chunk }));
        call.end();
      },
    },
  ]);
}

test('a reproducer is the input, byte for byte', async () => {
  const connection = await masterSending(chunks);
  const path = join(temporaryFolder(), 'input');
  await downloadReproducer(connection, 'c', { path, replace: false });
  expect(readFileSync(path, 'utf8')).toBe('the input');
});

test('bytes that do not match their SHA-256 are refused, and leave no file', async () => {
  const folder = temporaryFolder();
  const connection = await masterSending([Buffer.from('another!!')]);
  const file = { path: join(folder, 'input'), replace: false };
  await expect(downloadReproducer(connection, 'c', file)).rejects.toThrow(
    /do not have the announced SHA-256/,
  );
  expect(readdirSync(folder)).toEqual([]);
});

test('a name made of what the master says leads nowhere else', async () => {
  const connection = await masterSending(chunks, { kind: '../../a b', id: '../../c' });
  const folder = temporaryFolder();
  const before = process.cwd();
  process.chdir(folder);
  try {
    await downloadReproducer(connection, 'c', { path: '', replace: false });
  } finally {
    process.chdir(before);
  }
  expect(readdirSync(folder)).toEqual(['______a_b-______c']);
});
