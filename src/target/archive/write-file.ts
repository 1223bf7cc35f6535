import { closeSync, openSync, writeSync } from 'node:fs';

/**
 * Writes a new file, for code in a thread of its own.
 *
 * @param onChunk called with the bytes as they pass
 * @returns its length
 * @throws the system's error; EEXIST if there is one
 */
export async function writeNewFile(
  path: string | Buffer,
  content: AsyncIterable<Uint8Array>,
  onChunk: (chunk: Uint8Array) => void = () => {},
): Promise<number> {
  let sizeBytes = 0;
  const file = openSync(path, 'wx', 0o644);
  try {
    for await (const chunk of content) {
      onChunk(chunk);
      for (let done = 0; done < chunk.length; ) done += writeSync(file, chunk, done);
      sizeBytes += chunk.length;
    }
  } finally {
    closeSync(file);
  }
  return sizeBytes;
}
