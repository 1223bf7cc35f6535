import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from '../core/errors.js';

/**
 * Checks the place of a download before it begins.
 *
 * @throws UserError if its folder is missing, or the file exists and may not be replaced
 */
export async function checkOutputFile(path: string, replace: boolean): Promise<void> {
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (!folder?.isDirectory()) {
    throw new UserError(`there is no folder ${dirname(path)} to write ${path} into`);
  }
  const file = await stat(path).catch(() => undefined);
  if (file?.isDirectory()) throw new UserError(`${path} is a folder: give a file's name`);
  if (file && !replace) {
    throw new UserError(`${path} is there already: give --force, or another name`);
  }
}

/** Lets `write` fill a file beside `path`, which takes its place once it is whole. */
export async function replaceFile(
  path: string,
  write: (partial: string) => Promise<void>,
): Promise<void> {
  const partial = `${path}.part`;
  try {
    await write(partial);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
