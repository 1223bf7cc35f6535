import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from '../../core/errors.js';
import { makeFolder } from '../../core/folders.js';
import type { BlobPlace } from '../ops/blobs/find-blobs.js';
import type { BlobFileName } from './depot.js';
import { syncFolder } from './folder-syncs.js';
import { PackFiles } from './pack-files.js';
import { isInPack, type PackPlace, readEntries } from './reading.js';

/** A blob whose bytes are not where its place says. */
export interface LostBlob {
  readonly place: BlobPlace;
  readonly why: 'missing' | 'damaged';
}

/** Blobs of a pack that are read at once: 16 MiB at most. */
const checkedAtOnce = 256;

/** A folder of blobs that no master has open: of a backup, or one that is being filled. */
export class BlobFolder {
  readonly #packs: PackFiles;
  /** Folders with files that were added. */
  readonly #filled = new Set<string>();

  constructor(readonly directory: string) {
    this.#packs = new PackFiles(directory);
  }

  pathOf(name: BlobFileName): string {
    if ('packId' in name) return this.#packs.pathOf(name.packId);
    return join(this.directory, name.sha256.slice(0, 2), name.sha256);
  }

  /** The path of a file that is to be added, whose folder is there from then on. */
  async pathToAdd(name: BlobFileName): Promise<string> {
    const path = this.pathOf(name);
    const folder = dirname(path);
    if (!this.#filled.has(folder)) await makeFolder(folder);
    this.#filled.add(folder);
    return path;
  }

  /** Resolves when the names of all files that were added are on disk. */
  async sync(): Promise<void> {
    await makeFolder(this.directory);
    for (const folder of this.#filled) await syncFolder(folder);
    await syncFolder(this.directory);
  }

  /** The pack that a master may still write to; 0: there is none. */
  async newestPack(): Promise<number> {
    try {
      return (await this.#packs.list()).at(-1) ?? 0;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return 0;
      throw error;
    }
  }

  /** Reads blobs and compares them with their names. @returns those that are lost */
  async check(places: readonly BlobPlace[]): Promise<LostBlob[]> {
    const lost: LostBlob[] = [];
    for (const place of places) {
      if (isInPack(place)) continue;
      const why = await this.#checkFile(place);
      if (why) lost.push({ place, why });
    }
    const packed = places.filter(isInPack);
    for (let at = 0; at < packed.length; at += checkedAtOnce) {
      lost.push(...(await this.#checkEntries(packed.slice(at, at + checkedAtOnce))));
    }
    return lost;
  }

  async #checkFile({ sha256, size_bytes }: BlobPlace): Promise<LostBlob['why'] | undefined> {
    const sum = createHash('sha256');
    let sizeBytes = 0;
    try {
      for await (const chunk of createReadStream(this.pathOf({ sha256 }))) {
        sum.update(chunk);
        sizeBytes += chunk.length;
      }
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return 'missing';
      if (codeOf(error) === 'EIO') return 'damaged';
      throw error;
    }
    return sizeBytes === size_bytes && sum.digest('hex') === sha256 ? undefined : 'damaged';
  }

  async #checkEntries(places: readonly PackPlace[]): Promise<LostBlob[]> {
    const found = await readEntries(this.#packs, places);
    const lost: LostBlob[] = [];
    for (const [index, place] of places.entries()) {
      const blob = found[index];
      if (blob && hash('sha256', blob, 'hex') === place.sha256) continue;
      const pack = await stat(this.#packs.pathOf(place.pack_id)).catch(() => undefined);
      lost.push({ place, why: pack ? 'damaged' : 'missing' });
    }
    return lost;
  }
}
