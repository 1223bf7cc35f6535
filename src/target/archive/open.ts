import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { codeOf } from '../../core/errors.js';
import { TargetFault } from '../fault.js';
import { type ArchiveBounds, Meter } from './bounds.js';
import type { ArchiveEntry } from './entry.js';
import { archiveKind, headOf } from './kind.js';
import { tarEntries } from './tar-reader.js';
import { zipEntries } from './zip-reader.js';

const readAtOnce = 256 * 1024;

/**
 * The entries of a .tar, .tar.gz or .zip, whose bytes are counted as they come out.
 *
 * @throws TargetFault for no archive, a damaged one, and one beyond the bounds
 */
export async function* archiveEntries(
  path: string,
  bounds: ArchiveBounds,
): AsyncGenerator<ArchiveEntry> {
  const { size } = await stat(path);
  const meter = new Meter(bounds, size);
  const kind = archiveKind(await headOf(path));
  if (!kind) throw new TargetFault(`${bounds.what} are in no .tar, .tar.gz or .zip`);
  for await (const entry of kind === 'zip' ? zipEntries(path, meter) : tarOf(path, kind, meter)) {
    meter.addEntry();
    yield entry;
  }
}

async function* tarOf(
  path: string,
  kind: 'tar' | 'tar.gz',
  meter: Meter,
): AsyncGenerator<ArchiveEntry> {
  const file = createReadStream(path, { highWaterMark: readAtOnce });
  const unpacked = kind === 'tar' ? file : file.pipe(createGunzip({ chunkSize: readAtOnce }));
  if (unpacked !== file) file.once('error', (error) => unpacked.destroy(error));
  try {
    yield* tarEntries(meter.count(unpacked));
  } catch (error) {
    if (!codeOf(error)?.startsWith('Z_')) throw error;
    throw new TargetFault('the archive is damaged: it cannot be unpacked to its end');
  } finally {
    unpacked.destroy();
    file.destroy();
  }
}
