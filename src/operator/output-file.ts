import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from '../core/errors.js';

/**
 * Checks that a download may be written there, before it is asked for.
 *
 * @throws UserError when its folder is missing, or the file is there and may not be replaced
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
