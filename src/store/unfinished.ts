import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../core/clock.js';
import { orAbort, type RequestContext } from '../core/context.js';
import {
  codeOf,
  DataLossError,
  DiskFullError,
  OutOfRangeError,
  ReplacedError,
} from '../core/errors.js';
import { makeFolder } from '../core/folders.js';
import { isSha256 } from '../core/ids.js';
import { LightSignal } from '../core/signal.js';

/** What unfinished uploads may take that nobody is going on with. */
export interface UnfinishedLimits {
  readonly bytes: number;
  readonly count: number;
  readonly ageMs: number;
}

/** Of a master whose settings say nothing else. */
export const usualUnfinished: UnfinishedLimits = {
  bytes: 4 * 2 ** 30,
  count: 256,
  ageMs: 24 * 3_600_000,
};

/** An upload as its sender describes it. */
export interface PartialUpload {
  readonly sha256: string;
  /** Of the whole file. */
  readonly sizeBytes: number;
  /** Bytes that are there already. */
  readonly offsetBytes: number;
  /** The same for each try of one sender; empty: it has none. */
  readonly uploadId: string;
}

/** The beginning of a file, on disk. */
interface Part {
  sizeBytes: number;
  /** When it last grew, by the wall clock. */
  usedAt: number;
  writer: Writer | undefined;
}

interface Writer {
  readonly uploadId: string;
  readonly signal: LightSignal;
  /** Resolves when it has closed the file. */
  readonly closed: Promise<void>;
}

/** A sender that has sent nothing for so long gives way to another one of the same file. */
const idleMs = 5000;

/**
 * Uploads that broke off, by the SHA-256 of the whole file, so that they can go on where they
 * ended, after a restart too. One sender at a time writes a part: a second try of the same
 * sender takes over, any other one only when the first is idle.
 */
export class UnfinishedUploads {
  readonly #parts = new Map<string, Part>();

  private constructor(
    private readonly folder: string,
    private readonly limits: UnfinishedLimits,
    private readonly clock: Clock,
  ) {}

  /** Takes over what an earlier process left. */
  static async open(options: {
    folder: string;
    limits: UnfinishedLimits;
    clock: Clock;
  }): Promise<UnfinishedUploads> {
    const { folder, limits, clock } = options;
    const uploads = new UnfinishedUploads(folder, limits, clock);
    await makeFolder(folder);
    for (const name of await readdir(folder)) {
      const { size, mtimeMs } = await stat(join(folder, name));
      if (!isSha256(name)) await rm(join(folder, name), { force: true, recursive: true });
      else uploads.#parts.set(name, { sizeBytes: size, usedAt: mtimeMs, writer: undefined });
    }
    await uploads.sweep();
    return uploads;
  }

  /** Bytes of the file that this sender may go on after. */
  received(sha256: string, uploadId: string): number {
    const part = this.#parts.get(sha256);
    return part && !this.#isTaken(part, uploadId) ? part.sizeBytes : 0;
  }

  /** Whether another sender is at work on the file. */
  isTaken(sha256: string, uploadId: string): boolean {
    const part = this.#parts.get(sha256);
    return part !== undefined && this.#isTaken(part, uploadId);
  }

  /**
   * Receives the rest of a file, and returns the path of the whole, on disk and checked. The
   * caller moves it away and calls `forget`. What arrives before an error stays for the next
   * try, unless the file as a whole is another than announced.
   *
   * @throws OutOfRangeError when the offset is beyond what is there; DataLossError;
   *   DiskFullError; ReplacedError when the sender's next try took over
   */
  async receive(
    ctx: RequestContext,
    upload: PartialUpload,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<string> {
    const { sha256, uploadId, offsetBytes } = upload;
    const before = this.#parts.get(sha256);
    if (before?.writer) {
      before.writer.signal.abort(
        new ReplacedError({ why: 'another try of this upload took over' }),
      );
      await before.writer.closed;
    }
    if (offsetBytes > (this.#parts.get(sha256)?.sizeBytes ?? 0)) {
      const size = this.#parts.get(sha256)?.sizeBytes ?? 0;
      throw new OutOfRangeError({ why: `this upload goes on at ${size} bytes` });
    }
    const closed = Promise.withResolvers<void>();
    const signal = new LightSignal();
    const writer: Writer = { uploadId, signal, closed: closed.promise };
    const part: Part = { sizeBytes: offsetBytes, usedAt: this.clock.now(), writer };
    this.#parts.set(sha256, part);
    const onAbort = () => signal.abort(ctx.signal.reason);
    ctx.signal.addEventListener('abort', onAbort, { once: true });
    if (ctx.signal.aborted) onAbort();
    try {
      await this.#write(upload, part, signal, chunks);
      return this.#pathOf(sha256);
    } catch (error) {
      const isFull = codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT';
      // A part that fills the disk would keep it full.
      if (isFull || error instanceof OtherFileError) await this.forget(sha256);
      throw isFull ? new DiskFullError() : error;
    } finally {
      ctx.signal.removeEventListener('abort', onAbort);
      part.writer = undefined;
      closed.resolve();
      await this.sweep();
    }
  }

  async forget(sha256: string): Promise<void> {
    this.#parts.delete(sha256);
    await rm(this.#pathOf(sha256), { force: true });
  }

  /** Removes what is too old, and the oldest while it is too much. */
  async sweep(): Promise<void> {
    const idle = [...this.#parts].filter(([, { writer }]) => writer === undefined);
    idle.sort(([, a], [, b]) => a.usedAt - b.usedAt);
    let bytes = idle.reduce((sum, [, { sizeBytes }]) => sum + sizeBytes, 0);
    let count = idle.length;
    const oldest = this.clock.now() - this.limits.ageMs;
    for (const [sha256, { usedAt, sizeBytes }] of idle) {
      const isOver = bytes > this.limits.bytes || count > this.limits.count;
      if (!isOver && usedAt >= oldest && sizeBytes > 0) continue;
      bytes -= sizeBytes;
      count -= 1;
      await this.forget(sha256);
    }
  }

  #isTaken({ writer, usedAt }: Part, uploadId: string): boolean {
    if (!writer || (uploadId !== '' && writer.uploadId === uploadId)) return false;
    return this.clock.now() - usedAt < idleMs;
  }

  async #write(
    { sha256, sizeBytes, offsetBytes }: PartialUpload,
    part: Part,
    signal: LightSignal,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const path = this.#pathOf(sha256);
    const file = await open(path, offsetBytes > 0 ? 'r+' : 'w+');
    try {
      await file.truncate(offsetBytes);
      const hash = await hashOf(file, offsetBytes);
      const messages = chunks[Symbol.asyncIterator]();
      for (;;) {
        const next = await orAbort(signal, messages.next());
        if (next.done) break;
        if (part.sizeBytes + next.value.length > sizeBytes) throw otherLength(sizeBytes, 'more');
        await writeAt(file, next.value, part.sizeBytes);
        hash.update(next.value);
        part.sizeBytes += next.value.length;
        part.usedAt = this.clock.now();
      }
      signal.throwIfAborted();
      if (part.sizeBytes < sizeBytes) {
        const why = `the announced length is ${sizeBytes} bytes, but only ${part.sizeBytes} arrived`;
        throw new DataLossError({ why });
      }
      if (hash.digest('hex') !== sha256) {
        throw new OtherFileError({
          why: 'the bytes that arrived do not have the announced SHA-256',
        });
      }
      await file.sync();
    } finally {
      await file.close();
    }
  }

  #pathOf(sha256: string): string {
    return join(this.folder, sha256);
  }
}

/** What is there is no part of the announced file: the next try must begin anew. */
class OtherFileError extends DataLossError {}

const otherLength = (sizeBytes: number, arrived: string) =>
  new OtherFileError({ why: `the announced length is ${sizeBytes} bytes, but ${arrived} arrived` });

const readAtOnce = 1024 * 1024;

/** Of the first bytes of a file. */
async function hashOf(file: FileHandle, sizeBytes: number): Promise<Hash> {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(Math.min(readAtOnce, sizeBytes));
  for (let at = 0; at < sizeBytes; ) {
    const wanted = Math.min(buffer.length, sizeBytes - at);
    const { bytesRead } = await file.read(buffer, 0, wanted, at);
    if (bytesRead === 0) throw new OtherFileError({ why: 'the beginning of this upload is gone' });
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
  return hash;
}

async function writeAt(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}
