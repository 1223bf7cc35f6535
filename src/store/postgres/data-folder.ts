import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, UserError } from '../../core/errors.js';

/** Names the database whose blobs the folder has. */
const nameFile = 'pandafuzz.database';

/**
 * Sees that the folder is this database's: the blobs of another one would be swept away, as
 * nothing here refers to them.
 *
 * @throws UserError
 */
export async function claimFolder(directory: string, database: string): Promise<void> {
  if (await isThere(join(directory, 'pandafuzz.db'))) {
    throw new UserError(
      `data.directory: ${directory} has a SQLite database (pandafuzz.db), and database.url names another: give this master another data.directory, or leave database.url out`,
    );
  }
  const path = join(directory, nameFile);
  const found = await readFile(path, 'utf8').catch((error) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return writeFile(path, `${database}\n`);
  if (found.trim() === database) return;
  throw new UserError(
    `data.directory: ${directory} has the blobs of another database than database.url names: give this master another data.directory`,
  );
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
