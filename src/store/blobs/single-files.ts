import { createHash } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import {
  type FileHandle,
  open,
  opendir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemClock } from '../../core/clock.js';
import { orAbort, type RequestContext } from '../../core/context.js';
import { codeOf, DataLossError, DiskFullError } from '../../core/errors.js';
import { makeFolder } from '../../core/folders.js';
import { isSha256 } from '../../core/ids.js';
import type { Singles, SizedBlob } from './depot.js';
import { FolderSyncs, syncFolder } from './folder-syncs.js';
import type { TemporaryFiles } from './temporary-files.js';

/** What a caller says of the file that it sends. */
export interface Expected {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Age from which a file that is found again gets a new time: well below any sweep's. */
const refreshAfterMs = 10 * 60_000;

/**
 * Blobs that are files of their own, named by their SHA-256. A file appears under its name
 * when all of it is on disk; it is acknowledged when its entry in the folder is, too. After
 * a sync that failed, the next upload writes the file anew: what a failed sync has left in
 * the system's cache may look written and not be.
 */
export class SingleFiles implements Singles {
  readonly #syncs = new FolderSyncs();
  /** Files that are about to appear under their names, until they are on disk or gone again. */
  readonly #appearing = new Map<string, Promise<void>>();
  /** Files that were taken back, as they could not be synced. */
  #failures = 0;
  /** Folders with a file that a failed sync has left behind: files found there are not trusted. */
  readonly #distrusted = new Set<string>();

  constructor(
    private readonly directory: string,
    private readonly temporary: TemporaryFiles,
  ) {}

  /** Makes all folders: one made for a blob would have to be synced. */
  async open(): Promise<void> {
    await Promise.all(folderNames.map((name) => makeFolder(join(this.directory, name))));
    await syncFolder(this.directory);
  }

  /**
   * Keeps the bytes of `chunks`. The bytes of a file that is there already are not read.
   *
   * @throws DataLossError, DiskFullError; nothing is left then
   */
  async keep(
    ctx: RequestContext,
    expected: Expected,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<void> {
    const sizeBytes = await this.confirm(ctx, expected.sha256);
    if (sizeBytes === undefined) return this.#put(ctx, expected, chunks);
    if (sizeBytes !== expected.sizeBytes) throw otherLength(expected.sizeBytes, sizeBytes);
  }

  /**
   * The size of a file that is there, and on disk with its entry; undefined if it has to be
   * written. The sweep of files that nothing refers to passes it over for a while.
   */
  async confirm(ctx: RequestContext, sha256: string): Promise<number | undefined> {
    const path = this.#pathOf(sha256);
    const found = await this.#findSettled(ctx, sha256);
    if (!found || this.#distrusted.has(dirname(path))) return undefined;
    await this.#syncs.settle(dirname(path));
    if (systemClock.now() - found.mtimeMs > refreshAfterMs) {
      const now = new Date(systemClock.now());
      await utimes(path, now, now);
    }
    return found.size;
  }

  /** The file, when no upload of it is about to appear or to be taken back. */
  async #findSettled(ctx: RequestContext, sha256: string): Promise<Stats | undefined> {
    for (;;) {
      await this.#appeared(ctx, sha256);
      const failures = this.#failures;
      const found = await stat(this.#pathOf(sha256)).catch(() => undefined);
      if (!this.#appearing.has(sha256) && failures === this.#failures) return found;
    }
  }

  async #appeared(ctx: RequestContext, sha256: string): Promise<void> {
    for (;;) {
      const appearing = this.#appearing.get(sha256);
      if (!appearing) return;
      await orAbort(
        ctx.signal,
        appearing.catch(() => {}),
      );
    }
  }

  /** The bytes from `offset` on, in chunks of at most `chunkBytes`. */
  read(
    _: RequestContext,
    sha256: string,
    { offset, chunkBytes }: { offset: number; chunkBytes: number },
  ): AsyncIterable<Buffer> {
    return createReadStream(this.#pathOf(sha256), { start: offset, highWaterMark: chunkBytes });
  }

  /** @returns undefined when there is no such file */
  async readWhole(sha256: string): Promise<Buffer | undefined> {
    try {
      return await readFile(this.#pathOf(sha256));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Removes files. @returns their bytes */
  async remove(blobs: readonly SizedBlob[]): Promise<number> {
    let bytes = 0;
    for (const { sha256 } of blobs) {
      const found = await stat(this.#pathOf(sha256)).catch(() => undefined);
      if (!found) continue;
      await rm(this.#pathOf(sha256), { force: true });
      bytes += found.size;
    }
    return bytes;
  }

  /** Files of one of the 256 folders that nothing has changed for `ageMs`, `limit` at a time. */
  async *listOld(folder: number, ageMs: number, limit: number): AsyncGenerator<SizedBlob[]> {
    // By the clock that gives files their times.
    const before = systemClock.now() - ageMs;
    const path = join(this.directory, folderNames[folder] as string);
    let old: SizedBlob[] = [];
    for await (const { name } of await opendir(path)) {
      if (!isSha256(name)) continue;
      const found = await stat(join(path, name)).catch(() => undefined);
      if (!found || found.mtimeMs >= before) continue;
      if (old.push({ sha256: name, sizeBytes: found.size }) < limit) continue;
      yield old;
      old = [];
    }
    if (old.length > 0) yield old;
  }

  async #put(
    ctx: RequestContext,
    expected: Expected,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<void> {
    const temporary = this.temporary.path();
    try {
      await writeChecked(ctx, temporary, expected, chunks);
      await this.#publish(ctx, temporary, expected.sha256);
    } catch (error) {
      await rm(temporary, { force: true });
      throw diskFullOr(error);
    }
  }

  /** Takes over a file of the same disk whose bytes are checked and synced. @throws DiskFullError */
  async adopt(ctx: RequestContext, path: string, sha256: string): Promise<void> {
    try {
      await this.#publish(ctx, path, sha256);
    } catch (error) {
      throw diskFullOr(error);
    }
  }

  /** Of two uploads of the same file, the second waits for the first, and takes its place. */
  async #publish(ctx: RequestContext, temporary: string, sha256: string): Promise<void> {
    await this.#appeared(ctx, sha256);
    const appearing = this.#appear(temporary, this.#pathOf(sha256));
    this.#appearing.set(sha256, appearing);
    await appearing.finally(() => this.#appearing.delete(sha256));
  }

  async #appear(temporary: string, path: string): Promise<void> {
    const folder = dirname(path);
    await rename(temporary, path);
    this.#syncs.changed(folder);
    try {
      await this.#syncs.settle(folder);
      this.#distrusted.delete(folder);
    } catch (error) {
      this.#failures++;
      await rm(path).catch(() => this.#distrusted.add(folder));
      throw error;
    }
  }

  /** Two levels, so that no folder grows without end. */
  #pathOf(sha256: string): string {
    return join(this.directory, sha256.slice(0, 2), sha256);
  }
}

/** Folders of blobs, by the first byte of their names. */
export const folders = 256;
export const folderNames: readonly string[] = Array.from({ length: folders }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

export const diskFullOr = (error: unknown): unknown =>
  codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT' ? new DiskFullError() : error;

export function otherLength(announced: number, actual: number): DataLossError {
  const why = `the announced length is ${announced} bytes, but what has this SHA-256 has ${actual}`;
  return new DataLossError({ why });
}

export function wrongLength(announced: number, arrived: number): DataLossError {
  const how = arrived > announced ? 'more' : `only ${arrived}`;
  return new DataLossError({
    why: `the announced length is ${announced} bytes, but ${how} arrived`,
  });
}

export const wrongBytes = (): DataLossError =>
  new DataLossError({ why: 'the bytes that arrived do not have the announced SHA-256' });

/** Writes a file, and checks that its bytes are the announced ones. @throws DataLossError */
export async function writeChecked(
  ctx: RequestContext,
  path: string,
  { sha256, sizeBytes: announced }: Expected,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const file = await open(path, 'wx');
  try {
    for await (const chunk of chunks) {
      ctx.signal.throwIfAborted();
      sizeBytes += chunk.length;
      if (sizeBytes > announced) break;
      hash.update(chunk);
      await writeWhole(file, chunk);
    }
    ctx.signal.throwIfAborted();
    if (sizeBytes !== announced) throw wrongLength(announced, sizeBytes);
    if (hash.digest('hex') !== sha256) throw wrongBytes();
    await file.sync();
  } finally {
    await file.close();
  }
}

/** @param position undefined: at the end */
export async function writeWhole(
  file: FileHandle,
  bytes: Uint8Array,
  position?: number,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const at = position === undefined ? null : position + done;
    done += (await file.write(bytes, done, bytes.length - done, at)).bytesWritten;
  }
}
