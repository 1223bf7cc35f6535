import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, messageOf } from './errors.js';

/**
 * Makes a folder, and the folders above it that are missing. One by one: Node's own
 * `recursive` never returns where the system answers ENOENT under a folder that is there,
 * as below /proc.
 *
 * @throws the system's error of the first folder that cannot be made
 */
export async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  const above = dirname(path);
  if (above !== path) await makeFolder(above);
  try {
    await mkdir(path);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (codeOf(error) !== 'EEXIST' || !(await isFolder(path))) throw error;
  }
}

/** As `makeFolder`, for code that cannot wait. */
export function makeFoldersSync(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && dirname(path) !== path) {
      makeFoldersSync(dirname(path));
      mkdirSync(path);
    } else if (codeOf(error) !== 'EEXIST' || !statSync(path).isDirectory()) throw error;
  }
}

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() ?? false;

const problems: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space',
  EDQUOT: "the disk's quota is used up: free some space",
  EACCES: 'its permissions do not allow it: change them, or choose another place',
  EPERM: 'its permissions do not allow it: change them, or choose another place',
  EROFS: 'its disk is read-only: mount it for writing, or choose another place',
  ENOENT: 'the system makes no folder there: choose another place',
  ENOTDIR: 'a part of the path is a file: move it away, or choose another place',
  EEXIST: 'a file is in its place: move it away, or choose another place',
  ENAMETOOLONG: 'the path is too long: choose a shorter one',
  EIO: 'the disk does not work (EIO): look at the log of the system',
};

/** The cause of a system's error about a file or folder, and what to do, in words. */
export const fileProblem = (error: unknown): string =>
  problems[codeOf(error) ?? ''] ?? messageOf(error);
