import { TargetFault } from '../fault.js';
import { ByteSource, cutShort } from './byte-source.js';
import type { ArchiveEntry, EntryType } from './entry.js';
import { blockBytes, readTarHeader, type TarHeader } from './tar-header.js';

/** Longest header that has no bytes of a file: long names and attributes. */
const mostMetaBytes = 64 * 1024;

const types: Readonly<Record<string, EntryType>> = {
  '0': 'file',
  '1': 'hard link',
  '2': 'link',
  '5': 'folder',
};

/** What headers before an entry say of it. */
interface Ahead {
  path?: Buffer;
  linkTo?: Buffer;
  sizeBytes?: number;
}

/**
 * The entries of a tar archive (the old format, POSIX's with pax headers, GNU's), in their
 * order, up to the first block of zeros: nothing behind it is read.
 *
 * @throws TargetFault for an archive that is damaged, or has sparse files
 */
export async function* tarEntries(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ArchiveEntry> {
  const source = new ByteSource(chunks);
  let ahead: Ahead = {};
  for (;;) {
    const block = await source.take(blockBytes);
    if (!block || block.every((byte) => byte === 0)) return;
    const header = readTarHeader(block);
    if ('LKxg'.includes(header.type)) {
      const meta = await metaOf(source, header);
      if (header.type === 'x') ahead = { ...ahead, ...readPax(meta) };
      else if (header.type === 'L') ahead.path = untilZero(meta);
      else if (header.type === 'K') ahead.linkTo = untilZero(meta);
      continue;
    }
    if (header.type === 'S') throw sparse();
    const content = new Content(source, sizeOf(header, ahead));
    yield {
      path: ahead.path ?? header.path,
      linkTo: ahead.linkTo ?? header.linkTo,
      type: typeOf(header, ahead),
      isExecutable: (header.mode & 0o111) !== 0,
      content,
    };
    await content.skipRest();
    ahead = {};
  }
}

/** The old format knows a folder by the slash at its end alone. */
function typeOf(header: TarHeader, ahead: Ahead): EntryType {
  const type = types[header.type] ?? 'other';
  return type === 'file' && (ahead.path ?? header.path).at(-1) === 0x2f ? 'folder' : type;
}

/** Links and folders have no bytes, whatever their headers say. */
function sizeOf(header: TarHeader, ahead: Ahead): number {
  const sizeBytes = ahead.sizeBytes ?? header.sizeBytes;
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
    throw new TargetFault('the archive is damaged: the length of an entry is no number');
  }
  return header.type === '1' || header.type === '2' || header.type === '5' ? 0 : sizeBytes;
}

async function metaOf(source: ByteSource, { sizeBytes }: TarHeader): Promise<Buffer> {
  if (!(sizeBytes <= mostMetaBytes)) {
    throw new TargetFault('the archive has a name or attributes of more than 64 KiB');
  }
  const meta = sizeBytes > 0 ? await source.take(sizeBytes) : Buffer.alloc(0);
  if (!meta) throw cutShort();
  await source.skip(paddingOf(sizeBytes));
  return meta;
}

const paddingOf = (sizeBytes: number) => (blockBytes - (sizeBytes % blockBytes)) % blockBytes;

function untilZero(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end === -1 ? bytes : bytes.subarray(0, end);
}

/** Records "LENGTH KEY=VALUE\n"; values are bytes, as paths are. */
function readPax(meta: Buffer): Ahead {
  const ahead: Ahead = {};
  for (let at = 0; at < meta.length; ) {
    const space = meta.indexOf(0x20, at);
    const length = Number(meta.toString('latin1', at, space === -1 ? at : space));
    const record = meta.subarray(at, at + length);
    const equals = record.indexOf(0x3d);
    if (!Number.isSafeInteger(length) || length < 5 || record.length < length || equals === -1) {
      throw new TargetFault('the archive is damaged: attributes of an entry cannot be read');
    }
    const key = record.toString('latin1', space - at + 1, equals);
    const value = Buffer.from(record.subarray(equals + 1, length - 1));
    if (key === 'path') ahead.path = value;
    if (key === 'linkpath') ahead.linkTo = value;
    if (key === 'size') ahead.sizeBytes = Number(value.toString('latin1'));
    if (key.startsWith('GNU.sparse.')) throw sparse();
    at += length;
  }
  return ahead;
}

const sparse = () =>
  new TargetFault('the archive has sparse files: make it without them (tar without --sparse)');

/** The bytes of one entry; those that are not read are skipped. */
class Content implements AsyncIterable<Uint8Array> {
  #leftBytes: number;
  readonly #paddingBytes: number;

  constructor(
    private readonly source: ByteSource,
    sizeBytes: number,
  ) {
    this.#leftBytes = sizeBytes;
    this.#paddingBytes = paddingOf(sizeBytes);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    while (this.#leftBytes > 0) {
      const part = await this.source.some(this.#leftBytes);
      if (!part) throw cutShort();
      this.#leftBytes -= part.length;
      yield part;
    }
  }

  async skipRest(): Promise<void> {
    await this.source.skip(this.#leftBytes + this.#paddingBytes);
    this.#leftBytes = 0;
  }
}
