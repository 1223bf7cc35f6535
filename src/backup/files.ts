import { constants } from 'node:fs';
import { access, copyFile, link, open, rename } from 'node:fs/promises';
import { codeOf } from '../core/errors.js';

/** Writes a file that is whole or not there, and on disk, once its folder is synced. */
export async function writeSynced(path: string, text: string): Promise<void> {
  const next = `${path}.new`;
  const file = await open(next, 'w', 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
}

/** Resolves when the bytes of a file, or the entries of a folder, are on disk. */
export async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Copies a file to a path that is free, and syncs it. */
export async function copySynced(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  await sync(to);
}

/** Answers of systems that do not link these two paths, or not for this user. */
const notLinked = new Set([
  'EXDEV',
  'EPERM',
  'EACCES',
  'EMLINK',
  'ENOSYS',
  'ENOTSUP',
  'EOPNOTSUPP',
]);

/** A second name for a file that never changes, or a copy where the system has no links. */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!notLinked.has(codeOf(error) ?? '')) throw error;
    await copySynced(from, to);
  }
}

export const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
