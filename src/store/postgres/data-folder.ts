import { readFile, rm, stat, writeFile } from 'node:fs/promises';
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
  const found = await databaseOfFolder(directory);
  if (found === undefined) return writeFile(join(directory, nameFile), `${database}\n`);
  if (found === database) return;
  throw new UserError(
    `data.directory: ${directory} has the blobs of another database than database.url names: give this master another data.directory`,
  );
}

/** As `claimFolder`, where a master has had the folder. */
export async function expectFolder(directory: string, database: string): Promise<void> {
  if ((await databaseOfFolder(directory)) === database) return;
  throw new UserError(
    `data.directory: ${directory} does not have the blobs of this database: name the master's settings with --config`,
  );
}

async function databaseOfFolder(directory: string): Promise<string | undefined> {
  if (await isThere(join(directory, 'pandafuzz.db'))) {
    throw new UserError(
      `data.directory: ${directory} has a SQLite database (pandafuzz.db), and database.url names another: give this master another data.directory, leave database.url out, or move the records ("pandafuzz database migrate")`,
    );
  }
  try {
    return (await readFile(join(directory, nameFile), 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Takes back what `claimFolder` wrote. */
export const leaveFolder = (directory: string): Promise<void> =>
  rm(join(directory, nameFile), { force: true });

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
