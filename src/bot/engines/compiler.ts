import { type FileHandle, open } from 'node:fs/promises';

/** More sections than any program has. */
const mostSections = 10_000;
/** Of the section of compilers' notes, and of the section names, bytes. */
const mostBytes = 1 << 20;

/**
 * Version of the compiler that built an executable, and so that of a libFuzzer inside it,
 * e.g. "clang 14.0.6": read from the ELF section ".comment".
 *
 * @returns '' for anything else than a 64-bit little-endian ELF file with such a section
 */
export async function compilerOf(path: string): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (!file) return '';
  try {
    return nameIn(await commentOf(file));
  } catch {
    return ''; // damaged, or of another make
  } finally {
    await file.close();
  }
}

async function commentOf(file: FileHandle): Promise<string> {
  const header = await bytesAt(file, 0, 64);
  if (header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1) return '';
  const [entryBytes, count, namesIndex] = [58, 60, 62].map((at) => header.readUInt16LE(at));
  if (!entryBytes || !count || count > mostSections || namesIndex === undefined) return '';
  const table = await bytesAt(file, Number(header.readBigUInt64LE(40)), entryBytes * count);
  const sectionOf = (index: number) => {
    const entry = table.subarray(index * entryBytes, (index + 1) * entryBytes);
    const [offset, sizeBytes] = [24, 32].map((at) => Number(entry.readBigUInt64LE(at)));
    return bytesAt(file, offset ?? 0, Math.min(sizeBytes ?? 0, mostBytes));
  };
  const names = (await sectionOf(namesIndex)).toString('latin1');
  for (let index = 0; index < count; index++) {
    const nameAt = table.readUInt32LE(index * entryBytes);
    if (names.startsWith('.comment\0', nameAt)) return (await sectionOf(index)).toString('latin1');
  }
  return '';
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** Objects of the C library bring GCC's note into every program, so it counts last. */
function nameIn(comment: string): string {
  const rustc = /rustc version (\d+[.\d]*)/.exec(comment);
  if (rustc) return `rustc ${rustc[1]}`;
  const clang = /clang version (\d+[.\d]*)/.exec(comment);
  if (clang) return `clang ${clang[1]}`;
  const gcc = /GCC: \([^)]{0,100}\) (\d+[.\d]*)/.exec(comment);
  return gcc ? `gcc ${gcc[1]}` : '';
}
