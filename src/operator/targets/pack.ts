import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type TarItem, tarBytes } from '../../target/archive/tar-writer.js';
import { makeScratch } from '../scratch.js';

/** A folder of this process's own, gone after `use`. */
export async function withTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await makeScratch('pandafuzz-');
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes the items into a .tar.gz; the same items are the same bytes. */
export async function packInto(path: string, items: readonly TarItem[]): Promise<void> {
  await pipeline(
    Readable.from(tarBytes(items), { objectMode: false }),
    createGzip({ level: 6 }),
    createWriteStream(path),
  );
}
