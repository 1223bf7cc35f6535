import { open } from 'node:fs/promises';

export type ArchiveKind = 'tar' | 'tar.gz' | 'zip';

/** The first bytes that `archiveKind` looks at. */
export const archiveHeadBytes = 512;

/** Of an entry, and of the end of an archive without any. */
const zipSignatures = ['PK\x03\x04', 'PK\x05\x06'];

/** Kind of an archive by its first bytes; undefined for anything else. */
export function archiveKind(head: Uint8Array): ArchiveKind | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'tar.gz';
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (zipSignatures.includes(bytes.toString('latin1', 0, 4))) return 'zip';
  return bytes.toString('latin1', 257, 262) === 'ustar' ? 'tar' : undefined;
}

/** Up to `bytes` bytes at the beginning of a file. */
export async function headOf(path: string | Buffer, bytes = archiveHeadBytes): Promise<Buffer> {
  const file = await open(path);
  try {
    const head = Buffer.alloc(bytes);
    const { bytesRead } = await file.read(head, 0, bytes, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
