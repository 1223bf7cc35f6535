import { constants, type Stats } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { create, type ReadEntry } from 'tar';
import { codeOf, messageOf, UserError } from '../core/errors.js';
import { describeTrouble } from '../core/system-trouble.js';
import { noInput } from './target.js';

/** Time of every file in an archive, so that equal contents give equal archives. */
const mtime = new Date(0);

/**
 * Gives every file the same mode and one link, before tar reads it. Otherwise tar stores
 * further hard links as links, which bots do not unpack.
 */
function asPlainFile(_path: string, file: Stats | ReadEntry): boolean {
  if ('nlink' in file) Object.assign(file, { nlink: 1, mode: constants.S_IFREG | 0o644 });
  return true;
}

/**
 * Packs the files of a folder into a .tar.gz while `use` runs. Equal files give equal
 * bytes, so that the master stores them once.
 *
 * @throws UserError for a folder that is missing or has no file
 */
export async function withSeedArchive<T>(
  folder: string,
  use: (archive: { path: string; name: string }) => Promise<T>,
): Promise<T> {
  const files = await filesIn(folder);
  const temporary = await mkdtemp(join(tmpdir(), 'pandafuzz-seeds-'));
  try {
    const path = join(temporary, 'seeds.tar.gz');
    const always = { gzip: { level: 6 }, portable: true, mtime, follow: true };
    await create({ ...always, file: path, cwd: folder, filter: asPlainFile }, files);
    return await use({ path, name: `${basename(resolve(folder))}.tar.gz`.slice(-128) });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

const unusable: Record<string, string> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'it is not a folder: name the one the seeds are in',
};

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: unknown) => {
      const why = unusable[codeOf(error) ?? ''] ?? describeTrouble(error, 'it') ?? messageOf(error);
      throw new UserError(`--seeds ${folder}: ${why}`, noInput);
    },
  );
  const files: string[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() || (entry.isSymbolicLink() && (await leadsToFile(path)))) {
      files.push(`./${relative(folder, path)}`);
    }
  }
  if (files.length > 0) return files.sort();
  throw new UserError(`--seeds ${folder}: there is no file in it; leave --seeds out`, noInput);
}

const leadsToFile = (link: string) =>
  stat(link).then(
    (found) => found.isFile(),
    () => false,
  );
