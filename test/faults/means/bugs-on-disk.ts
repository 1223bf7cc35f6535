import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * First bytes of the crashing inputs that lie in a bot's folder, in its runs and in its spool: each
 * names a bug of test/bot/programs/letters.c.
 */
export async function bugsIn(workDir: string): Promise<Set<string>> {
  const bugs = new Set<string>();
  for (const file of await readdir(workDir, { recursive: true, withFileTypes: true })) {
    const isArtifact = basename(file.parentPath) === 'artifacts' && /^crash-/.test(file.name);
    const isSpooled = file.name === 'input' && basename(dirname(file.parentPath)) === 'spool';
    if (!isArtifact && !isSpooled) continue;
    const input = await readFile(join(file.parentPath, file.name));
    if (input.length > 1) bugs.add(input.toString('latin1', 0, 1));
  }
  return bugs;
}
