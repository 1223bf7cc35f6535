import { createHash } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolderSync } from '../../core/folders.js';
import { TargetFault } from '../fault.js';
import { type ArchiveBounds, seedBounds } from './bounds.js';
import { archiveEntries } from './open.js';
import { writeNewFile } from './write-file.js';

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
  const temporary = join(folder, '.part');
  rmSync(temporary, { force: true });
  let files = 0;
  for await (const { type, content } of archiveEntries(archive, bounds)) {
    if (type !== 'file') continue;
    const hash = createHash('sha1');
    await writeNewFile(temporary, content, (chunk) => hash.update(chunk));
    renameSync(temporary, join(folder, hash.digest('hex')));
    files += 1;
  }
  if (files === 0) throw new TargetFault(`${bounds.what} have no file in them`);
  return files;
}
