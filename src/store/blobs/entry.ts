import { crc32 } from 'node:zlib';
import { entryBytes, headerBytes } from '../ops/blobs/place-blobs.js';

/**
 * An entry of a pack: a header, then the bytes of one blob.
 *
 *   0  "PFE1"
 *   4  length of the blob, 32 bits, little endian
 *   8  SHA-256 of the blob, 32 bytes
 *  40  CRC-32 of the 40 bytes before and of the blob, 32 bits, little endian
 *  44  the blob
 *
 * The name in the header lets a pack be read without the database; the checksum finds an
 * entry that was cut or damaged at a tenth of the cost of another SHA-256.
 */
const magic = 0x31454650;
const nameAt = 8;
const checksumAt = 40;

/** Writes an entry into `target`. @returns where it ends */
export function writeEntry(target: Buffer, at: number, sha256: string, blob: Uint8Array): number {
  target.writeUInt32LE(magic, at);
  target.writeUInt32LE(blob.length, at + 4);
  target.write(sha256, at + nameAt, 'hex');
  target.set(blob, at + headerBytes);
  const head = target.subarray(at, at + checksumAt);
  target.writeUInt32LE(crc32(blob, crc32(head)), at + checksumAt);
  return at + headerBytes + blob.length;
}

export interface Header {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** @returns undefined where no header is, or where it is cut */
export function readHeader(source: Buffer, at: number): Header | undefined {
  if (at < 0 || at + headerBytes > source.length || source.readUInt32LE(at) !== magic) {
    return undefined;
  }
  return {
    sha256: source.toString('hex', at + nameAt, at + checksumAt),
    sizeBytes: source.readUInt32LE(at + 4),
  };
}

/** The blob of the entry, a view of `source`; undefined when it is not whole. */
export function readBlob(source: Buffer, at: number): Buffer | undefined {
  const header = readHeader(source, at);
  const end = at + entryBytes(header?.sizeBytes ?? 0);
  if (!header || end > source.length) return undefined;
  const blob = source.subarray(at + headerBytes, end);
  const checksum = crc32(blob, crc32(source.subarray(at, at + checksumAt)));
  return checksum === source.readUInt32LE(at + checksumAt) ? blob : undefined;
}
