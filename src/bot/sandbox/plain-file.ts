import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';

/*
 * Folders that a target writes to may hold anything. A link in one of them must not
 * lead the bot to another file, nor a named pipe block it.
 */

/** Status of a plain file; undefined for anything else, and where there is nothing. */
export async function plainFile(path: string): Promise<Stats | undefined> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isFile() ? found : undefined;
}

/** Opens a file for reading; links are not followed, and pipes do not block. */
export function openPlainFile(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

/** Content of a plain file; undefined for anything else, and where there is nothing. */
export async function readPlainFile(path: string): Promise<Buffer | undefined> {
  if (!(await plainFile(path))) return undefined;
  const file = await openPlainFile(path);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** The first bytes of a plain file, as many as there are; undefined as above. */
export const readPlainStart = (path: string, lengthBytes: number): Promise<Buffer | undefined> =>
  readPart(path, lengthBytes, () => 0);

/** Its last bytes. */
export const readPlainEnd = (path: string, lengthBytes: number): Promise<Buffer | undefined> =>
  readPart(path, lengthBytes, (sizeBytes) => Math.max(sizeBytes - lengthBytes, 0));

async function readPart(
  path: string,
  lengthBytes: number,
  fromByte: (sizeBytes: number) => number,
): Promise<Buffer | undefined> {
  const found = await plainFile(path);
  if (!found) return undefined;
  const file = await openPlainFile(path);
  try {
    const into = Buffer.alloc(Math.min(lengthBytes, found.size));
    const { buffer, bytesRead } = await file.read(into, 0, into.length, fromByte(found.size));
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
