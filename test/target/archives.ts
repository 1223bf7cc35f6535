import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { type TarItem, tarBytes } from '../../src/target/archive/tar-writer.js';
import { temporaryFolder } from '../harness.js';

/** Archives as people make them, and as nobody should. */

const none = Buffer.alloc(0);

export const item = (path: string | Buffer, more: Partial<TarItem> = {}, bytes = 'x'): TarItem => ({
  path: Buffer.from(path as string),
  type: 'file',
  isExecutable: false,
  sizeBytes: more.type && more.type !== 'file' ? 0 : Buffer.byteLength(bytes),
  linkTo: none,
  content: async function* () {
    yield Buffer.from(bytes);
  },
  ...more,
});

export const link = (path: string, to: string): TarItem =>
  item(path, { type: 'link', linkTo: Buffer.from(to) });

export async function tarOf(items: readonly TarItem[]): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of tarBytes(items)) parts.push(part);
  return Buffer.concat(parts);
}

/** The archive with the type of its first entry changed, e.g. to "3" for a device. */
export function retyped(tar: Buffer, type: string): Buffer {
  const changed = Buffer.from(tar);
  changed.write(type, 156, 'latin1');
  changed.fill(' ', 148, 156);
  const sum = changed.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  changed.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return changed;
}

export interface ZipItem {
  readonly path: string | Buffer;
  readonly bytes: Buffer;
  /** Unix mode; 0 for a program that knows none. */
  readonly mode?: number;
}

/** A .zip, deflated. */
export function zipOf(items: readonly ZipItem[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { path, bytes, mode = 0 } of items) {
    const name = Buffer.from(path as string);
    const packed = deflateRawSync(bytes);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    bodies.push(Buffer.from('PK\x03\x04', 'latin1'), common, name, packed);
    const entry = Buffer.alloc(46);
    entry.write('PK\x01\x02', 0, 'latin1');
    entry.writeUInt16LE(mode === 0 ? 20 : (3 << 8) | 20, 4);
    common.copy(entry, 6);
    entry.writeUInt32LE((mode << 16) >>> 0, 38);
    entry.writeUInt32LE(offset, 42);
    directory.push(entry, name);
    offset += 30 + name.length + packed.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(items.length, 8);
  end.writeUInt16LE(items.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, ...directory, end]);
}

export function fileOf(bytes: Buffer, name = 'archive'): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, bytes);
  return path;
}

/** A .tar.gz of one file of zeros: 0.3 MB that unpack to 300. */
export function bombOfZeros(): Buffer {
  const size = 300 * 2 ** 20;
  const head = Buffer.alloc(512);
  head.write('zeros\0', 0, 'latin1');
  head.write('0000644\0', 100, 'latin1');
  head.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  head.write('0ustar\x0000', 156, 'latin1');
  head.write('ustar\x0000', 257, 'latin1');
  return gzipSync(Buffer.concat([retyped(head, '0'), Buffer.alloc(size)]), { level: 9 });
}
