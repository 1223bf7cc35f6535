import { createHash } from 'node:crypto';
import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolderSync } from '../../core/folders.js';
import { TargetFault } from '../fault.js';
import { type ArchiveBounds, seedBounds } from './bounds.js';
import { archiveEntries } from './open.js';

/**
 * Unpacks the files of an archive into one folder, each named by the SHA-1 of its content, as
 * libFuzzer names inputs: equal files are one, and no name of the archive's comes near the
 * disk. Links, devices and what else is no file are passed over.
 *
 * @returns how many inputs are new in the folder
 * @throws TargetFault for an archive without a file, a damaged one, and one beyond the bounds
 */
export async function unpackSeeds(
  archive: string,
  folder: string,
  bounds: ArchiveBounds = seedBounds,
): Promise<number> {
  makeFolderSync(folder);
  const names = new Set<string>();
  for await (const { type, content } of archiveEntries(archive, bounds)) {
    if (type === 'file') await addSeed(folder, content, names);
  }
  if (names.size === 0) throw new TargetFault(`${bounds.what} have no file in them`);
  return names.size;
}

/** Of a longer seed the name is known only when it is written. */
const heldBytes = 1024 * 1024;

/** Writes a seed, unless its name is there. */
async function addSeed(
  folder: string,
  content: AsyncIterable<Uint8Array>,
  names: Set<string>,
): Promise<void> {
  const temporary = join(folder, '.part');
  const hash = createHash('sha1');
  const held: Uint8Array[] = [];
  let isLong = false;
  let bytes = 0;
  for await (const chunk of content) {
    hash.update(chunk);
    held.push(chunk);
    bytes += chunk.length;
    if (bytes <= heldBytes) continue;
    appendFileSync(temporary, Buffer.concat(held.splice(0)));
    isLong = true;
  }
  const name = hash.digest('hex');
  if (names.has(name)) rmSync(temporary, { force: true });
  else if (isLong) {
    renameSync(temporary, join(folder, name));
  } else writeFileSync(join(folder, name), Buffer.concat(held));
  names.add(name);
}
