import { createHash } from 'node:crypto';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { Crash } from '../../src/gen/pandafuzz/v1/crash.js';
import {
  CrashServiceService,
  type DownloadCrashInputRequest,
  DownloadCrashInputResponse,
} from '../../src/gen/pandafuzz/v1/crash_service.js';
import { inputStream } from '../../src/operator/crashes/input-stream.js';
import { tarStream } from '../../src/operator/crashes/tar-stream.js';
import { away, connectTo } from './wire.js';

const input = Buffer.from('0123456789');
const crash = Crash.create({
  id: '0198c0de-0000-7000-8000-000000000000',
  inputSha256: createHash('sha256').update(input).digest('hex'),
  inputSizeBytes: input.length,
});
const { signal } = new AbortController();

/** A master that sends so many bytes of the input a call, and then goes away. */
async function masterBreakingAfter(lengths: number[], content = input) {
  const offsets: number[] = [];
  const connection = await connectTo([
    CrashServiceService,
    {
      downloadCrashInput(
        call: ServerWritableStream<DownloadCrashInputRequest, DownloadCrashInputResponse>,
      ) {
        const { offsetBytes } = call.request;
        offsets.push(offsetBytes);
        const end = offsetBytes + (lengths.shift() ?? content.length);
        call.write(
          DownloadCrashInputResponse.create({ chunk: content.subarray(offsetBytes, end) }),
        );
        if (end < content.length) call.emit('error', away);
        else call.end();
      },
    },
  ]);
  return { connection, offsets };
}

async function read(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}

test('an input whose download breaks off goes on where it was', async () => {
  const { connection, offsets } = await masterBreakingAfter([4, 3]);
  expect(await read(inputStream(connection, crash, signal))).toBe('0123456789');
  expect(offsets).toEqual([0, 4, 7]);
});

test('bytes that are not those of the crash end it with an error', async () => {
  const { connection } = await masterBreakingAfter([], Buffer.from('012345678x'));
  await expect(read(inputStream(connection, crash, signal))).rejects.toThrow(/announced SHA-256/);
});

test('an archive refuses a file that is not as long as its header has it', async () => {
  const files = async function* () {
    yield { path: 'a', sizeBytes: 5, content: [Buffer.from('four')] };
  };
  await expect(read(tarStream(files()))).rejects.toThrow('a has 4 bytes, not 5');
});
