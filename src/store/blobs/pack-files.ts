import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../core/errors.js';
import { makeFolder } from '../../core/folders.js';
import { entryBytes, headerBytes } from '../ops/blobs/place-blobs.js';
import { readBlob, readHeader } from './entry.js';
import { syncFolder } from './folder-syncs.js';

/** Bytes read at once when a pack is gone through. */
const windowBytes = 2 ** 20;

/** An entry found in a pack. */
export interface FoundEntry {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly position: number;
  /** Undefined: the checksum does not fit. */
  readonly blob: Buffer | undefined;
}

/** The files of packs, by their ids. */
export class PackFiles {
  readonly #directory: string;

  constructor(blobs: string) {
    this.#directory = join(blobs, 'packs');
  }

  async open(): Promise<void> {
    await makeFolder(this.#directory);
    await syncFolder(this.#directory);
  }

  /** Ids of the packs that are there, in order. */
  async list(): Promise<number[]> {
    const names = await readdir(this.#directory);
    const ids = names.flatMap((name) =>
      /^\d{10}\.pack$/.test(name) ? Number.parseInt(name, 10) : [],
    );
    return ids.sort((a, b) => a - b);
  }

  /** An empty pack whose entry in the folder is on disk. */
  async make(id: number): Promise<FileHandle> {
    const path = this.pathOf(id);
    const file = await open(path, 'wx');
    try {
      await syncFolder(this.#directory);
      return file;
    } catch (error) {
      await file.close();
      await rm(path, { force: true }).catch(() => {});
      throw error;
    }
  }

  openToAppend(id: number): Promise<FileHandle> {
    return open(this.pathOf(id), 'r+');
  }

  /** Size and time of the last change; undefined when there is no such file. */
  async look(id: number): Promise<{ sizeBytes: number; changedAt: number } | undefined> {
    const found = await stat(this.pathOf(id)).catch(() => undefined);
    return found && { sizeBytes: found.size, changedAt: found.mtimeMs };
  }

  remove(id: number): Promise<void> {
    return rm(this.pathOf(id), { force: true });
  }

  /** Bytes of a pack; fewer where it ends before, none where it is missing. */
  async read(id: number, position: number, lengthBytes: number): Promise<Buffer> {
    let file: FileHandle;
    try {
      file = await open(this.pathOf(id), 'r');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return Buffer.alloc(0);
      throw error;
    }
    try {
      return await readUpTo(file, position, lengthBytes);
    } finally {
      await file.close();
    }
  }

  /**
   * The entries from `from` to `to`, some at a time. Ends early where no entry begins, or
   * one is cut; the last slice says how far it came.
   */
  async *entries(
    id: number,
    from: number,
    to: number,
  ): AsyncGenerator<{ found: FoundEntry[]; end: number }> {
    for (let at = from; at < to; ) {
      const wanted = Math.min(windowBytes, to - at);
      let bytes = await this.read(id, at, wanted);
      const first = readHeader(bytes, 0);
      if (first && entryBytes(first.sizeBytes) > bytes.length) {
        bytes = await this.read(id, at, Math.min(entryBytes(first.sizeBytes), to - at));
      }
      const found = entriesIn(bytes, at);
      const last = found.at(-1);
      const end = last ? last.position + entryBytes(last.sizeBytes) : at;
      yield { found, end };
      if (end === at) return;
      at = end;
    }
  }

  pathOf(id: number): string {
    return join(this.#directory, `${String(id).padStart(10, '0')}.pack`);
  }
}

function entriesIn(bytes: Buffer, startsAt: number): FoundEntry[] {
  const found: FoundEntry[] = [];
  for (let at = 0; at + headerBytes <= bytes.length; ) {
    const header = readHeader(bytes, at);
    if (!header || at + entryBytes(header.sizeBytes) > bytes.length) break;
    found.push({ ...header, position: startsAt + at, blob: readBlob(bytes, at) });
    at += entryBytes(header.sizeBytes);
  }
  return found;
}

async function readUpTo(file: FileHandle, position: number, lengthBytes: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(lengthBytes);
  let done = 0;
  while (done < lengthBytes) {
    const { bytesRead } = await file.read(bytes, done, lengthBytes - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
