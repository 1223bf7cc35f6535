import { createReadStream, type Stats } from 'node:fs';
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { codeOf, UserError } from '../../core/errors.js';
import { below, shown, staysInside } from '../../target/archive/paths.js';
import type { TarItem } from '../../target/archive/tar-writer.js';
import { dataError } from '../exit-codes.js';

const none = Buffer.alloc(0);

export interface TreeOptions {
  /** Of a path in the folder, as latin1 text. */
  readonly isWanted?: (path: string) => boolean;
  /** Links to folders elsewhere. */
  readonly linkedFolders?: 'refused' | 'left out';
}

/**
 * What is in a folder, as items of an archive, sorted by their bytes. Links that stay in the
 * folder are links; others are the files that they lead to, and those that lead nowhere are
 * left out. Names may have any bytes.
 *
 * @throws UserError for a link to a folder elsewhere, unless those are left out
 */
export async function itemsIn(folder: string, options: TreeOptions = {}): Promise<TarItem[]> {
  const { isWanted = () => true, linkedFolders = 'refused' } = options;
  const items: TarItem[] = [];
  const root = Buffer.from(folder);
  const waiting: Buffer[][] = [[]];
  for (let parts = waiting.pop(); parts; parts = waiting.pop()) {
    const above = parts;
    for (const name of await readdir(below(root, above), { encoding: 'buffer' })) {
      const path = [...above, name];
      const inside = joined(path);
      if (!isWanted(inside.toString('latin1'))) continue;
      const item = await itemAt(below(root, path), inside, above.length);
      if (item === 'linked folder') {
        if (linkedFolders === 'refused') throw linkedElsewhere(inside);
        continue;
      }
      if (!item) continue;
      items.push(item);
      if (item.type === 'folder') waiting.push(path);
    }
  }
  return items.sort((a, b) => Buffer.compare(a.path, b.path));
}

const joined = (parts: readonly Buffer[]): Buffer => below(none, parts).subarray(1);

async function itemAt(
  at: Buffer,
  path: Buffer,
  depth: number,
): Promise<TarItem | 'linked folder' | undefined> {
  const found = await lstat(at);
  if (found.isDirectory()) return { ...empty(path), type: 'folder' };
  if (found.isFile()) return fileItem(at, path, found);
  if (!found.isSymbolicLink()) return undefined;
  const linkTo = await readlink(at, { encoding: 'buffer' });
  const behind = await stat(at).catch((error) => {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ELOOP') return undefined;
    throw error;
  });
  if (!behind) return undefined;
  if (staysInside(linkTo, depth)) return { ...empty(path), type: 'link', linkTo };
  return behind.isFile() ? fileItem(at, path, behind) : 'linked folder';
}

const linkedElsewhere = (path: Buffer) =>
  new UserError(
    `${shown(path)} is a link to a folder elsewhere: put the folder itself there`,
    dataError,
  );

const empty = (path: Buffer): TarItem => ({
  path,
  type: 'file',
  isExecutable: false,
  sizeBytes: 0,
  linkTo: none,
  content: async function* () {},
});

const fileItem = (at: Buffer, path: Buffer, { size, mode }: Stats): TarItem => ({
  ...empty(path),
  isExecutable: (mode & 0o111) !== 0,
  sizeBytes: size,
  content: () => createReadStream(at, { end: Math.max(size - 1, 0) }),
});
