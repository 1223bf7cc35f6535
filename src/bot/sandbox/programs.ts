import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where a run finds programs, and the bot those that it starts a run with. */
export const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** First executable file on the PATH that has one of these names; undefined if none has. */
export function findProgram(
  names: readonly string[],
  path: string = process.env['PATH'] ?? '',
): string | undefined {
  const folders = path.split(delimiter).filter((folder) => folder.startsWith('/'));
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return candidates.find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
