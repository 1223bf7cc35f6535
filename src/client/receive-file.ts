import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { DataLossError, StalledError } from '../core/errors.js';
import { hashFile } from './file-chunks.js';
import { isPassing, Tries } from './passing.js';
import { defaultStallMs, watchMoves } from './send.js';
import type { TransferOptions } from './transfer.js';

/** A file that is downloaded, and how its messages are read. */
export interface Receiving<Message> {
  readonly path: string;
  /** Begins a call that sends the file from this byte on. */
  readonly start: (offsetBytes: number) => ClientReadableStream<Message>;
  readonly read: (message: Message) => { sha256: string; sizeBytes: number; chunk: Uint8Array };
  /**
   * `process`: a download that breaks off goes on where it was. `disk`: so does a later one,
   * as its path stands for its content. `never`: each call sends another file.
   */
  readonly goesOn: 'never' | 'process' | 'disk';
  /** Longest wait for the first message, milliseconds; absent: as for any other. */
  readonly firstMs?: number;
  readonly options: TransferOptions;
}

/** What has arrived. */
interface Arrived {
  file: FileHandle;
  hash: Hash;
  bytes: number;
  expected: string;
}

/**
 * Writes to a temporary name, checks the SHA-256, then renames the file to `path`.
 *
 * @throws grpc-js's ServiceError, StalledError, DataLossError, and the system's errors
 */
export async function receiveFile<Message>(receiving: Receiving<Message>): Promise<void> {
  const { path, goesOn, options } = receiving;
  const { signal = new AbortController().signal, onTrouble } = options;
  const partial = `${path}.part`;
  const arrived = await begin(partial, goesOn === 'disk');
  let isKept = false;
  try {
    for (const tries = new Tries({ signal, onTrouble }); ; ) {
      const before = arrived.bytes;
      try {
        await receive(receiving, arrived);
        break;
      } catch (error) {
        if (arrived.bytes > before) tries.gotFurther();
        isKept = goesOn === 'disk' && arrived.bytes > 0;
        const isOver = arrived.bytes === 0 || signal.aborted;
        if (goesOn === 'never' || isOver || !isPassing(error)) throw error;
        await tries.again(error);
      }
    }
    isKept = false;
    if (arrived.hash.digest('hex') !== arrived.expected) throw otherBytes();
    await arrived.file.close();
    await rename(partial, path);
  } catch (error) {
    await arrived.file.close();
    if (!isKept) await rm(partial, { force: true });
    throw error;
  }
}

const otherBytes = () =>
  new DataLossError({
    why: 'the bytes that arrived do not have the announced SHA-256; try again',
  });

/** @param isToGoOn whether what is there already is the beginning of the file */
async function begin(partial: string, isToGoOn: boolean): Promise<Arrived> {
  if (isToGoOn) {
    const before = await hashFile(partial).catch(() => undefined);
    if (before && before.sizeBytes > 0) {
      const file = await open(partial, 'a');
      return { file, hash: before.hash, bytes: before.sizeBytes, expected: '' };
    }
  }
  const file = await open(partial, 'w');
  return { file, hash: createHash('sha256'), bytes: 0, expected: '' };
}

/** Receives what is missing. */
async function receive<Message>(receiving: Receiving<Message>, arrived: Arrived): Promise<void> {
  const { start, read, options, firstMs } = receiving;
  const { signal, onProgress, stallMs = defaultStallMs } = options;
  const call = start(arrived.bytes);
  const cancel = () => call.cancel();
  const watch = watchMoves(stallMs, cancel);
  if (firstMs !== undefined) watch.allow(firstMs);
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) cancel();
  try {
    for await (const message of call as AsyncIterable<Message>) {
      watch.allow(stallMs);
      const { sha256, sizeBytes, chunk } = read(message);
      arrived.expected = sha256;
      arrived.hash.update(chunk);
      await arrived.file.writeFile(chunk);
      arrived.bytes += chunk.length;
      onProgress?.(arrived.bytes, sizeBytes);
      watch.moved();
    }
  } catch (error) {
    throw watch.hasStalled ? new StalledError({ stalledMs: stallMs }) : error;
  } finally {
    watch.end();
    signal?.removeEventListener('abort', cancel);
    call.on('error', () => {}); // of the cancellation below; nothing waits for it
    call.cancel();
  }
}
