import { open } from 'node:fs/promises';

const mark = Buffer.from('\xff Go buildinf:', 'latin1');
const chunkBytes = 2 ** 20;
/** From the mark on: version and its length lie in the first bytes. */
const headBytes = 128;
const versionAt = 32;
const hasInlineStrings = 2;

/**
 * The Go that built a binary, e.g. "go1.26.8", as it stands in its build information.
 *
 * @returns '' for what has none, or one of Go before 1.18
 */
export async function goVersionOf(path: string): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (!file) return '';
  try {
    let before = Buffer.alloc(0);
    for (;;) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes);
      if (bytesRead === 0) return versionIn(before);
      const bytes = Buffer.concat([before, buffer.subarray(0, bytesRead)]);
      const version = versionIn(bytes.subarray(0, bytes.length));
      if (version !== '') return version;
      before = bytes.subarray(-headBytes);
    }
  } catch {
    return '';
  } finally {
    await file.close();
  }
}

function versionIn(bytes: Buffer): string {
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) {
    const head = bytes.subarray(at, at + headBytes);
    if (head.length <= versionAt || ((head[15] ?? 0) & hasInlineStrings) === 0) continue;
    const length = head[versionAt] ?? 0; // less than 128: a varint of one byte
    const text = head.toString('latin1', versionAt + 1, versionAt + 1 + length);
    const [, version = ''] = /^(go\d[\w.+-]{0,60})/.exec(text) ?? [];
    if (version !== '') return version;
  }
  return '';
}
