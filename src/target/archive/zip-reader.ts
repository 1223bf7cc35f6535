import { crc32 } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { codeOf, messageOf } from '../../core/errors.js';
import { TargetFault } from '../fault.js';
import type { Meter } from './bounds.js';
import type { ArchiveEntry, EntryType } from './entry.js';

/** Longest target of a link, bytes. */
const mostLinkBytes = 4096;

/**
 * The entries of a .zip, in the order of its directory.
 *
 * @throws TargetFault for an archive that is damaged or encrypted
 */
export async function* zipEntries(path: string, meter: Meter): AsyncGenerator<ArchiveEntry> {
  let archive: ZipFile | undefined;
  try {
    // Names as bytes: how they are encoded is not for us to say.
    archive = await openPromise(path, { decodeStrings: false, autoClose: false });
    for await (const entry of archive.eachEntry()) yield await entryOf(archive, entry, meter);
  } catch (error) {
    // Faults of the disk have codes, those of the archive have words only.
    if (error instanceof TargetFault || codeOf(error)?.match(/^E[A-Z]+$/)) throw error;
    throw new TargetFault(`the .zip is damaged: ${messageOf(error)}`);
  } finally {
    archive?.close();
  }
}

async function entryOf(archive: ZipFile, entry: Entry, meter: Meter): Promise<ArchiveEntry> {
  const path = Buffer.from(entry.fileNameRaw);
  if ((entry.generalPurposeBitFlag & 1) !== 0) {
    throw new TargetFault('the .zip is encrypted: make it without a password');
  }
  const mode = unixMode(entry);
  const type = typeOf(path, mode);
  const content = contentOf(archive, entry, meter);
  const isExecutable = (mode & 0o111) !== 0;
  if (type !== 'link') return { path, type, isExecutable, content, linkTo: Buffer.alloc(0) };
  if (entry.uncompressedSize > mostLinkBytes)
    throw new TargetFault('the .zip has a link of more than 4096 bytes');
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(part);
  return { path, type, isExecutable, content: none(), linkTo: Buffer.concat(parts) };
}

/** Set by programs on Unix; 0 elsewhere. */
const unixMode = ({ versionMadeBy, externalFileAttributes }: Entry) =>
  versionMadeBy >> 8 === 3 ? externalFileAttributes >>> 16 : 0;

/** By the bits of a mode that say what it is. No keys of an object: linters write octal ones anew, wrongly. */
const formats = new Map<number, EntryType>([
  [0, 'file'],
  [0o100000, 'file'],
  [0o040000, 'folder'],
  [0o120000, 'link'],
]);

const typeOf = (path: Buffer, mode: number): EntryType =>
  path.at(-1) === 0x2f ? 'folder' : (formats.get(mode & 0o170000) ?? 'other');

async function* none(): AsyncGenerator<Uint8Array> {}

async function* contentOf(
  archive: ZipFile,
  entry: Entry,
  meter: Meter,
): AsyncGenerator<Uint8Array> {
  const stream = await archive.openReadStreamPromise(entry);
  let sum = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      meter.addBytes(chunk.length);
      sum = crc32(chunk, sum);
      yield chunk;
    }
  } finally {
    stream.destroy();
  }
  if (sum !== entry.crc32) throw new TargetFault('the .zip is damaged: a checksum differs');
}
