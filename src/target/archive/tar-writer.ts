import { blockBytes } from './tar-header.js';

/** An entry to be written: a file with its length, a folder or a link. */
export interface TarItem {
  /** Relative, any bytes. */
  readonly path: Buffer;
  readonly type: 'file' | 'folder' | 'link';
  readonly isExecutable: boolean;
  readonly sizeBytes: number;
  /** Empty unless it is a link. */
  readonly linkTo: Buffer;
  readonly content: () => AsyncIterable<Uint8Array>;
}

const typeFlags = { file: '0', folder: '5', link: '2' } as const;

/**
 * A tar archive that says nothing of time, owner or machine: the same files are the same
 * bytes. Long names are in pax headers, as bytes.
 */
export async function* tarBytes(items: Iterable<TarItem>): AsyncGenerator<Uint8Array> {
  for (const item of items) {
    const records = [...paxOf('path', item.path, 100), ...paxOf('linkpath', item.linkTo, 100)];
    const tooLong = item.sizeBytes > 0o77777777777;
    if (tooLong) records.push(record('size', Buffer.from(String(item.sizeBytes))));
    if (records.length > 0) {
      const meta = Buffer.concat(records);
      yield header({
        path: Buffer.from('pax'),
        linkTo: none,
        mode: 0o644,
        sizeBytes: meta.length,
        type: 'x',
      });
      yield meta;
      yield padding(meta.length);
    }
    const { path, linkTo, type, isExecutable, sizeBytes } = item;
    const mode = type !== 'file' || isExecutable ? 0o755 : 0o644;
    yield header({ path, linkTo, mode, sizeBytes: tooLong ? 0 : sizeBytes, type: typeFlags[type] });
    if (type !== 'file') continue;
    let written = 0;
    for await (const chunk of item.content()) {
      written += chunk.length;
      yield chunk;
    }
    if (written !== sizeBytes) throw new Error('a file has changed while it was packed');
    yield padding(sizeBytes);
  }
  yield Buffer.alloc(2 * blockBytes);
}

const none = Buffer.alloc(0);

const padding = (sizeBytes: number) =>
  Buffer.alloc((blockBytes - (sizeBytes % blockBytes)) % blockBytes);

/** A record for a value that does not fit into its field. */
const paxOf = (key: string, value: Buffer, fieldBytes: number): Buffer[] =>
  value.length > fieldBytes ? [record(key, value)] : [];

/** "LENGTH KEY=VALUE\n", where the length counts its own digits. */
function record(key: string, value: Buffer): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length += 1;
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from('\n')]);
}

function header(fields: {
  path: Buffer;
  linkTo: Buffer;
  mode: number;
  sizeBytes: number;
  type: string;
}): Buffer {
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  fields.path.copy(block, 0, 0, 100);
  octal(fields.mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(fields.sizeBytes, 124, 12);
  octal(0, 136, 12);
  block.write(fields.type, 156, 'latin1');
  fields.linkTo.copy(block, 157, 0, 100);
  block.write('ustar\x0000', 257, 'latin1');
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
