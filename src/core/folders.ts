import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './errors.js';

/*
 * Node's recursive mkdir never returns where mkdir answers ENOENT although the parent is
 * there, as below /proc. Here each folder is tried again once, after its parent was made.
 */

/**
 * Makes a folder and those above it; a folder that is there already is no error.
 *
 * @throws the system's error, e.g. ENOENT below /proc, EEXIST or ENOTDIR where a file is in the way
 */
export async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && dirname(path) !== path) {
      await makeFolders(dirname(path));
      await mkdir(path);
    } else if (codeOf(error) !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error;
  }
}

/** As `makeFolders`, for code that cannot wait. */
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
