import { chmod, lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../core/folders.js';

/** Owner and group write, and new files get the group, as in all folders of a run's own user. */
const sharedMode = 0o2770;

/**
 * Makes a folder in one that the run's user may have been given before: the group is that
 * folder's then, and only the mode is missing. A link that a target has put there is removed.
 */
export async function makeSharedFolder(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found && !found.isDirectory()) await rm(path, { force: true });
  await makeFolder(path);
  await chmod(path, sharedMode);
}

/** A folder, one in it, and so on. @returns the path of the last */
export async function makeSharedFolders(
  path: string,
  ...names: readonly string[]
): Promise<string> {
  await makeSharedFolder(path);
  const [next, ...rest] = names;
  return next === undefined ? path : makeSharedFolders(join(path, next), ...rest);
}
