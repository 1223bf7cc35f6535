import { Header } from 'tar';

/** One file of an archive, whose length is known before its bytes. */
export interface TarFile {
  /** At most 100 characters of ASCII. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

const blockBytes = 512;

/** A tar archive of these files, without ever holding one: nothing of it is on disk before. */
export async function* tarStream(files: AsyncIterable<TarFile>): AsyncGenerator<Uint8Array> {
  for await (const { path, sizeBytes, content } of files) {
    yield headerOf(path, sizeBytes);
    let written = 0;
    for await (const chunk of content) {
      written += chunk.length;
      yield chunk;
    }
    if (written !== sizeBytes) throw new Error(`${path} has ${written} bytes, not ${sizeBytes}`);
    const over = sizeBytes % blockBytes;
    if (over > 0) yield Buffer.alloc(blockBytes - over);
  }
  yield Buffer.alloc(2 * blockBytes);
}

/** The same for the same file, on any day. */
function headerOf(path: string, size: number): Buffer {
  const header = new Header({ path, size, mode: 0o644, type: 'File', mtime: new Date(0) });
  const block = Buffer.alloc(blockBytes);
  if (header.encode(block)) throw new Error(`${path} does not fit into a tar's header`);
  return block;
}

/** A file of text. */
export function textFile(path: string, text: string): TarFile {
  const content = Buffer.from(text);
  return { path, sizeBytes: content.length, content: [content] };
}
