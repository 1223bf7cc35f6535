import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.js';
import { isId, newId } from '../../core/ids.js';
import type { Logger } from '../../core/log.js';

/** Name of the file in the work folder. */
export const identityFile = 'identity';

/**
 * Who the bot is to the master, whatever its name: a UUID, made at the first start in this
 * work folder. Where the disk takes none, it is the identity of this process alone; the bot
 * gets its name back when the master sees that the earlier one is gone.
 */
export async function readIdentity(workFolder: string, log: Logger): Promise<string> {
  const path = join(workFolder, identityFile);
  const found = (await readFile(path, 'utf8').catch(() => '')).trim();
  if (isId(found)) return found;
  const identity = newId();
  try {
    await writeDurably(path, `${identity}\n`);
  } catch (error) {
    log.warn({ path, why: messageOf(error) }, 'identity not kept');
  }
  return identity;
}

/** Whole or not at all, also after a power cut; for its owner alone. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
