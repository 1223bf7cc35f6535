import type { FileHandle } from 'node:fs/promises';
import { TargetFault } from './fault.js';

/** An ELF file, as far as starting it goes. */
export interface ElfFile {
  /** As Node names machines (`os.arch()`); "machine 94" for one that it does not know. */
  readonly machine: string;
  readonly type: 'executable' | 'library' | 'object file' | 'core dump';
  /** The dynamic loader; empty where there is none. */
  readonly interpreter: string;
  /** Names of the libraries that it is linked with. */
  readonly needed: readonly string[];
  /** Folders of libraries that the file itself names, such as "$ORIGIN". */
  readonly libraryFolders: readonly string[];
}

const machines: Readonly<Record<number, string>> = {
  3: 'ia32',
  8: 'mips',
  20: 'ppc',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
};

const types: Readonly<Record<number, ElfFile['type']>> = {
  1: 'object file',
  2: 'executable',
  3: 'library',
  4: 'core dump',
};

/** More segments, bytes of the dynamic section, or of a name there is none of. */
const most = { segments: 512, dynamicBytes: 256 * 1024, nameBytes: 4096 } as const;

const segment = { load: 1, dynamic: 2, interpreter: 3 } as const;
const tag = { needed: 1, strings: 5, rpath: 15, runpath: 29 } as const;

export const isElf = (head: Uint8Array): boolean =>
  Buffer.from(head.subarray(0, 4)).toString('latin1') === '\x7fELF';

/** The machine that an ELF file is for, by its first 20 bytes. */
export function elfMachine(head: Buffer): string {
  const machine = head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18);
  return machines[machine] ?? `machine ${machine}`;
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/**
 * Reads the headers of an ELF file of 32 or 64 bits.
 *
 * @throws TargetFault when they cannot be read: the file is damaged or cut
 */
export async function readElf(file: FileHandle): Promise<ElfFile> {
  const head = await bytesAt(file, 0, 64);
  if (!isElf(head)) throw damaged();
  const fields = fieldsOf(head);
  const entry = fields.read(head, 24, fields.word);
  const segments = await segmentsOf(file, head, fields);
  const strings = (s: Segment) => bytesAt(file, s.offset, Math.min(s.size, most.nameBytes));
  const named = segments.find(({ type }) => type === segment.interpreter);
  const interpreter = named ? textOf(await strings(named)) : '';
  const dynamic = await dynamicOf(file, segments, fields);
  const type = types[fields.read(head, 16, 2)];
  if (!type) throw damaged();
  // A position-independent executable is of the type of a library, but has a start.
  const isProgram = type === 'library' && (interpreter !== '' || entry !== 0);
  return {
    machine: elfMachine(head),
    type: isProgram ? 'executable' : type,
    interpreter,
    ...dynamic,
  };
}

/** Reads numbers as the file has them. */
interface Fields {
  /** Length of an address, bytes. */
  readonly word: 4 | 8;
  /** @throws TargetFault beyond the end */
  read(from: Buffer, at: number, bytes: 2 | 4 | 8): number;
}

function fieldsOf(head: Buffer): Fields {
  const isBig = head[5] === 2;
  return {
    word: head[4] === 2 ? 8 : 4,
    read(from, at, bytes) {
      if (at + bytes > from.length) throw damaged();
      if (bytes === 8) return Number(isBig ? from.readBigUInt64BE(at) : from.readBigUInt64LE(at));
      return isBig ? from.readUIntBE(at, bytes) : from.readUIntLE(at, bytes);
    },
  };
}

async function segmentsOf(
  file: FileHandle,
  head: Buffer,
  { word, read }: Fields,
): Promise<Segment[]> {
  const is64 = word === 8;
  const count = Math.min(read(head, is64 ? 56 : 44, 2), most.segments);
  const size = read(head, is64 ? 54 : 42, 2);
  if (count === 0) return [];
  if (size < (is64 ? 56 : 32)) throw damaged();
  const table = await bytesAt(file, read(head, is64 ? 32 : 28, word), count * size);
  return Array.from({ length: count }, (_, index) => {
    const at = index * size;
    return {
      type: read(table, at, 4),
      offset: read(table, at + word, word),
      address: read(table, at + 2 * word, word),
      size: read(table, at + 4 * word, word),
    };
  });
}

async function dynamicOf(
  file: FileHandle,
  segments: readonly Segment[],
  { word, read }: Fields,
): Promise<Pick<ElfFile, 'needed' | 'libraryFolders'>> {
  const section = segments.find(({ type }) => type === segment.dynamic);
  if (!section) return { needed: [], libraryFolders: [] };
  const table = await bytesAt(file, section.offset, Math.min(section.size, most.dynamicBytes));
  const values = new Map<number, number[]>();
  for (let at = 0; at + 2 * word <= table.length; at += 2 * word) {
    const key = read(table, at, word);
    if (key === 0) break;
    values.set(key, [...(values.get(key) ?? []), read(table, at + word, word)]);
  }
  const stringsAt = values.get(tag.strings)?.[0];
  const offset = stringsAt === undefined ? undefined : offsetOf(stringsAt, segments);
  const names = async (key: number) => {
    const found: string[] = [];
    for (const at of offset === undefined ? [] : (values.get(key) ?? [])) {
      found.push(textOf(await bytesAt(file, (offset ?? 0) + at, most.nameBytes)));
    }
    return found;
  };
  const folders = [...(await names(tag.runpath)), ...(await names(tag.rpath))];
  return {
    needed: await names(tag.needed),
    libraryFolders: folders.flatMap((list) => list.split(':')).filter((one) => one !== ''),
  };
}

/** Where in the file what is at an address in memory comes from. */
function offsetOf(address: number, segments: readonly Segment[]): number | undefined {
  const found = segments.find(
    (one) =>
      one.type === segment.load && address >= one.address && address < one.address + one.size,
  );
  return found && found.offset + (address - found.address);
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end === -1 ? bytes.length : end);
}

async function bytesAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  if (!Number.isSafeInteger(at + length)) throw damaged();
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, at);
  if (bytesRead === 0) throw damaged();
  return buffer.subarray(0, bytesRead);
}

const damaged = () => new TargetFault('it begins as an ELF file, but is damaged or cut');
