import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** Bytes in a message, the contract's limit. */
export const chunkBytes = 256 * 1024;

/**
 * Bytes in a message to a peer for which a chunk takes longer than `slowMs`: what is half
 * sent does not count as moved.
 */
const smallChunkBytes = 32 * 1024;
const slowMs = 4000;

/** SHA-256 (hex) and length of a file. */
export async function fingerprint(path: string): Promise<{ sha256: string; sizeBytes: number }> {
  const { hash, sizeBytes } = await hashFile(path);
  return { sha256: hash.digest('hex'), sizeBytes };
}

/** The hash of a file's bytes, which may go on. */
export async function hashFile(path: string): Promise<{ hash: Hash; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { hash, sizeBytes };
}

/** Bytes of a file from an offset on, or of those in memory, in messages' sizes. */
export async function* chunksOf(content: string | Buffer, offset = 0): AsyncGenerator<Buffer> {
  let pieceBytes = chunkBytes;
  for await (const chunk of wholeChunks(content, offset)) {
    const beganAt = performance.now();
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      yield chunk.subarray(at, at + pieceBytes);
    }
    pieceBytes = performance.now() - beganAt > slowMs ? smallChunkBytes : chunkBytes;
  }
}

async function* wholeChunks(content: string | Buffer, offset: number): AsyncGenerator<Buffer> {
  if (typeof content === 'string') {
    yield* createReadStream(content, { start: offset, highWaterMark: chunkBytes });
    return;
  }
  for (let at = offset; at < content.length; at += chunkBytes) {
    yield content.subarray(at, at + chunkBytes);
  }
}
