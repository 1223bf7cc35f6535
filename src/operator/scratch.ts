import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, UserError } from '../core/errors.js';

/**
 * Makes a temporary folder of this process's own.
 *
 * @throws UserError which names TMPDIR
 */
export async function makeScratch(prefix: string): Promise<string> {
  const path = tmpdir();
  return mkdtemp(join(path, prefix)).catch((error) => {
    throw new UserError(
      `no temporary folder can be made in ${path} (${messageOf(error)}): set TMPDIR to a folder with room`,
    );
  });
}
