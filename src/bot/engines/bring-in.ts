import { copyFile, link, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../../core/errors.js';

/*
 * Engines with folders of their own share inputs with the plain folders of a run by links: no
 * byte is written twice, and a full disk cannot cut them off.
 */

/** Errors where a file system, or its rules about others' files, allows no link. */
const noLink = new Set(['EXDEV', 'EPERM', 'EACCES', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP']);

/**
 * Gives a file a second name.
 *
 * @returns false when there was one of that name, or the file is gone
 */
export async function shareFile(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (code === 'EEXIST' || code === 'ENOENT') return false;
    if (!noLink.has(code)) throw error;
    await copyWhole(from, to);
    return true;
  }
}

/** Gives a file another name. */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    await copyWhole(from, to);
    await rm(from, { force: true });
  }
}

/** Under its name only once it is whole. */
async function copyWhole(from: string, to: string): Promise<void> {
  const partial = `${to}.part`;
  try {
    await copyFile(from, partial);
    await rename(partial, to);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Writes a file so that it has its name only once it is whole. */
export async function writeWhole(path: string, content: Buffer): Promise<void> {
  const partial = join(dirname(path), `.${basename(path)}.part`);
  try {
    await writeNew(partial, content);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Writes a file anew: a link that a target has put there leads nowhere. */
export async function writeNew(path: string, content: Buffer | string): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await writeFile(path, content, { flag: 'wx' });
}
