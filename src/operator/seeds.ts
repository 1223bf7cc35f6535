import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { create } from 'tar';
import { codeOf, messageOf, UserError } from '../core/errors.js';
import { noInput } from './target.js';

/** One archive for one content: no owners, no modes, and this as every file's time. */
const noTime = new Date(0);

/**
 * Packs the files of a folder into a .tar.gz for as long as `use` runs. The same
 * files make the same bytes, so that the master keeps them once.
 *
 * @throws UserError for a folder that is missing or holds no file
 */
export async function withSeedArchive<T>(
  folder: string,
  use: (archive: { path: string; name: string }) => Promise<T>,
): Promise<T> {
  const files = await filesIn(folder);
  const temporary = await mkdtemp(join(tmpdir(), 'pandafuzz-seeds-'));
  try {
    const path = join(temporary, 'seeds.tar.gz');
    await create(
      { file: path, cwd: folder, gzip: { level: 6 }, portable: true, mtime: noTime, follow: true },
      files,
    );
    return await use({ path, name: `${basename(resolve(folder))}.tar.gz`.slice(-128) });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: unknown) => {
      const why = codeOf(error) === 'ENOENT' ? 'there is no such folder' : messageOf(error);
      throw new UserError(`--seeds ${folder}: ${why}`, noInput);
    },
  );
  const root = resolve(folder);
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `./${resolve(path).slice(root.length + 1)}`)
    .sort();
  if (files.length > 0) return files;
  throw new UserError(`--seeds ${folder}: there is no file in it; leave --seeds out`, noInput);
}
