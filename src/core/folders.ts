import { mkdirSync, statSync } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from './errors.js';

/*
 * Folders are made one by one. Node's own recursive mkdir never returns where the system
 * answers ENOENT under a folder that is there, as below /proc.
 */

/**
 * Makes a folder, and the folders above it that are missing.
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

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() ?? false;

/** As `makeFolder`, for code that cannot wait. */
export function makeFolderSync(path: string): void {
  if (isFolderSync(path)) return;
  const above = dirname(path);
  if (above !== path) makeFolderSync(above);
  try {
    mkdirSync(path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' || !isFolderSync(path)) throw error;
  }
}

/** Paths of the plain files in folders and in those below them; links are left out. */
export async function filesBelow(...folders: readonly string[]): Promise<string[]> {
  const paths: string[] = [];
  for (const folder of folders) {
    for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (file.isFile()) paths.push(join(file.parentPath, file.name));
    }
  }
  return paths;
}

function isFolderSync(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
