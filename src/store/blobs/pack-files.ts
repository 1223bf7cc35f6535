import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../core/errors.js';
import { makeFolder } from '../../core/folders.js';
import type { Packs } from './depot.js';
import { syncFolder } from './folder-syncs.js';

/** The files of packs, by their ids. */
export class PackFiles implements Packs {
  readonly readsAtOnce = 1;
  readonly triesOfDamaged = 1;
  readonly #directory: string;
  #isListed = false;

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

  /** Takes over a file that is on disk. */
  async add(id: number, path: string): Promise<void> {
    await rename(path, this.pathOf(id));
    await syncFolder(this.#directory);
  }

  openToAppend(id: number): Promise<FileHandle> {
    return open(this.pathOf(id), 'r+');
  }

  /** Size and time of the last change; undefined when there is no such file. */
  async look(id: number): Promise<{ sizeBytes: number; changedAt: number } | undefined> {
    const found = await stat(this.pathOf(id)).catch(() => undefined);
    return found && { sizeBytes: found.size, changedAt: found.mtimeMs };
  }

  async sizeOf(id: number): Promise<number> {
    return (await this.look(id))?.sizeBytes ?? 0;
  }

  /** All of them at the first call: none without a row appears later but the writer's. */
  async listSome(): Promise<number[]> {
    if (this.#isListed) return [];
    this.#isListed = true;
    return this.list();
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

  pathOf(id: number): string {
    return join(this.#directory, `${String(id).padStart(10, '0')}.pack`);
  }
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
