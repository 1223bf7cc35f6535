import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { RequestContext } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import type { PackRow } from '../ops/blobs/packs.js';
import { BlobFolder } from './blob-folder.js';
import type { BlobFileName, Depot } from './depot.js';
import { PackFiles } from './pack-files.js';
import { PackWriter } from './pack-writer.js';
import { SingleFiles } from './single-files.js';
import type { TemporaryFiles } from './temporary-files.js';

export interface FolderDepotOptions {
  readonly directory: string;
  readonly temporary: TemporaryFiles;
  readonly largestPackBytes: number;
  readonly log: Logger;
}

/** Blobs as files of a folder. */
export class FolderDepot implements Depot {
  readonly kind = 'folder';
  readonly location: string;
  readonly singles: SingleFiles;
  readonly packs: PackFiles;
  readonly appender: PackWriter;
  readonly upkeep = { compacted: 1, removed: 8, smallBytes: 0 };

  constructor(private readonly options: FolderDepotOptions) {
    const { directory, temporary, largestPackBytes } = options;
    this.location = resolve(directory);
    this.singles = new SingleFiles(directory, temporary);
    this.packs = new PackFiles(directory);
    this.appender = new PackWriter(this.packs, largestPackBytes);
  }

  /** Makes the folders, for one that only reads, or adds whole files. */
  async prepare(): Promise<void> {
    await this.singles.open();
    await this.packs.open();
  }

  /** Cuts a torn entry off the newest pack, and goes on with it. */
  async open(lastPack: PackRow | undefined): Promise<void> {
    await this.prepare();
    const cutBytes = await this.appender.open(lastPack);
    if (cutBytes > 0) this.options.log.info({ bytes: cutBytes }, 'torn entry cut');
  }

  async openFile(
    _: RequestContext,
    name: BlobFileName,
    { offset, chunkBytes }: { offset: number; chunkBytes: number },
  ) {
    const path = new BlobFolder(this.options.directory).pathOf(name);
    const found = await stat(path).catch(() => undefined);
    if (!found) return undefined;
    const { size: sizeBytes } = found;
    async function* chunks(): AsyncGenerator<Buffer> {
      if (offset >= sizeBytes) return;
      const part = { start: offset, end: sizeBytes - 1, highWaterMark: chunkBytes };
      yield* createReadStream(path, part);
    }
    return { sizeBytes, chunks: chunks() };
  }

  addPack(_: RequestContext, id: number, path: string): Promise<void> {
    return this.packs.add(id, path);
  }

  async tidy(): Promise<void> {}

  close(): Promise<void> {
    return this.appender.close();
  }
}
