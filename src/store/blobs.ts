import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RequestContext } from '../core/context.js';
import { codeOf, DataLossError, DiskFullError, messageOf, UserError } from '../core/errors.js';
import { makeFolder } from '../core/folders.js';
import { describeTrouble } from '../core/system-trouble.js';

/**
 * Targets, seeds, corpora and crash inputs: files named by their SHA-256. A blob appears
 * under its name only when all of it is on disk, so every blob that is there is whole.
 */
export class BlobStore {
  private constructor(private readonly directory: string) {}

  /**
   * Also removes the files of uploads that an earlier process did not finish, and makes
   * every folder there will be: a folder made for a blob would have to be synced.
   */
  static async open(directory: string): Promise<BlobStore> {
    const blobs = new BlobStore(directory);
    try {
      await makeFolder(blobs.#incoming);
      for (const name of await readdir(blobs.#incoming)) {
        await rm(join(blobs.#incoming, name), { force: true });
      }
      const names = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
      await Promise.all(names.map((name) => makeFolder(join(directory, name))));
      await syncFolder(directory);
    } catch (error) {
      throw new UserError(`data.directory: ${describeTrouble(error) ?? messageOf(error)}`);
    }
    return blobs;
  }

  /** A path without a file, in a folder that the next start clears. */
  temporaryPath(): string {
    return join(this.#incoming, randomUUID());
  }

  /**
   * Keeps the bytes of `chunks`, which must be `sizeBytes` long and hash to `sha256`; the
   * bytes of a blob that is there already are not read. The blob is on disk, folder entry
   * included, when this resolves; when it rejects, nothing is left.
   *
   * @throws DataLossError when the bytes, or their number, are not the announced ones;
   *   DiskFullError
   */
  async keep(
    ctx: RequestContext,
    expected: { sha256: string; sizeBytes: number },
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const known = await stat(this.#pathOf(expected.sha256)).catch(() => undefined);
    if (!known) return this.#put(ctx, expected, chunks);
    if (known.size !== expected.sizeBytes) {
      const why = `the announced length is ${expected.sizeBytes} bytes, but what has this SHA-256 has ${known.size}`;
      throw new DataLossError({ why });
    }
  }

  async #put(
    ctx: RequestContext,
    expected: { sha256: string; sizeBytes: number },
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const temporary = this.temporaryPath();
    try {
      await this.#write(ctx, temporary, expected, chunks);
      const path = this.#pathOf(expected.sha256);
      await rename(temporary, path);
      await syncFolder(dirname(path));
    } catch (error) {
      await rm(temporary, { force: true });
      throw codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT' ? new DiskFullError() : error;
    }
  }

  /** Whether a blob is there. */
  async has(sha256: string): Promise<boolean> {
    return (await stat(this.#pathOf(sha256)).catch(() => undefined)) !== undefined;
  }

  /** Takes over a file of the same disk whose bytes are checked and synced; as `keep` otherwise. */
  async adopt(sha256: string, file: string): Promise<void> {
    const path = this.#pathOf(sha256);
    await rename(file, path);
    await syncFolder(dirname(path));
  }

  /** The bytes from `offset` on, in chunks of at most `chunkBytes`. */
  read(sha256: string, offset: number, chunkBytes: number): AsyncIterable<Buffer> {
    return createReadStream(this.#pathOf(sha256), { start: offset, highWaterMark: chunkBytes });
  }

  /** All bytes at once, for small files: a stream would cost more than the file. */
  readWhole(sha256: string): Promise<Buffer> {
    return readFile(this.#pathOf(sha256));
  }

  async #write(
    ctx: RequestContext,
    path: string,
    expected: { sha256: string; sizeBytes: number },
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    const file = await open(path, 'wx');
    try {
      for await (const chunk of chunks) {
        ctx.signal.throwIfAborted();
        sizeBytes += chunk.length;
        if (sizeBytes > expected.sizeBytes) break;
        hash.update(chunk);
        await writeWhole(file, chunk);
      }
      ctx.signal.throwIfAborted();
      if (sizeBytes !== expected.sizeBytes) {
        const why = `the announced length is ${expected.sizeBytes} bytes, but ${sizeBytes > expected.sizeBytes ? 'more' : `only ${sizeBytes}`} arrived`;
        throw new DataLossError({ why });
      }
      if (hash.digest('hex') !== expected.sha256) {
        throw new DataLossError({
          why: 'the bytes that arrived do not have the announced SHA-256',
        });
      }
      await file.sync();
    } finally {
      await file.close();
    }
  }

  get #incoming(): string {
    return join(this.directory, 'incoming');
  }

  /** Two levels, so that no folder grows without end. */
  #pathOf(sha256: string): string {
    return join(this.directory, sha256.slice(0, 2), sha256);
  }
}

async function writeWhole(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    done += (await file.write(chunk, done)).bytesWritten;
  }
}

/** Makes a rename in the folder survive a power cut. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
