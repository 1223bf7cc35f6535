import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { codeOf, messageOf, UserError } from '../core/errors.js';
import { describeTrouble } from '../core/system-trouble.js';
import { type ArchiveBounds, seedBounds } from '../target/archive/bounds.js';
import { archiveKind, headOf } from '../target/archive/kind.js';
import type { TarItem } from '../target/archive/tar-writer.js';
import { unpack } from '../target/archive/unpack.js';
import { TargetFault } from '../target/fault.js';
import { dataError, noInput } from './exit-codes.js';
import { nameOf } from './file-names.js';
import { packInto, withTemporaryFolder } from './targets/pack.js';
import { itemsIn } from './targets/tree.js';

/** Names of archives; any other file is a seed itself, such as one for a target that reads .zip. */
const archiveNames = /\.(tar|tar\.gz|tgz|zip)$/i;

/**
 * Makes an archive of seeds from files, folders and archives (.tar, .tar.gz, .zip) while `use`
 * runs. One archive alone goes as it is, once it was looked through. Otherwise each file is
 * named by the SHA-256 of its content: equal files are one, names may have any bytes, and the
 * same seeds are the same archive.
 *
 * @throws UserError for what is missing, has no file in it, or cannot be unpacked
 */
export function withSeedArchive<T>(
  paths: readonly string[],
  use: (archive: { path: string; name: string }) => Promise<T>,
): Promise<T> {
  return withTemporaryFolder(async (temporary) => {
    const files = new Map<string, TarItem>();
    for (const [index, path] of paths.entries()) {
      const unpacked = join(temporary, String(index));
      const isArchive = await unpackIfArchive(path, unpacked);
      if (isArchive && paths.length === 1) {
        return use({ path, name: nameOf(resolve(path)) });
      }
      for (const item of await filesOf(isArchive ? unpacked : path, path)) {
        const sha256 = await hashOf(item);
        files.set(sha256, { ...item, path: Buffer.from(sha256), isExecutable: false });
      }
    }
    const items = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
    expectWithin(items, seedBounds);
    const path = join(temporary, 'seeds.tar.gz');
    await packInto(path, items);
    const [first = 'seeds'] = paths;
    return use({ path, name: nameOf(`${resolve(first)}.tar.gz`) });
  });
}

async function unpackIfArchive(path: string, folder: string): Promise<boolean> {
  if (!archiveNames.test(path) || !(await found(path)).isFile()) return false;
  try {
    if (!archiveKind(await headOf(path))) {
      throw new TargetFault('it has the name of an archive, and is none');
    }
    await unpack({ as: 'seeds', archive: path, folder });
    return true;
  } catch (error) {
    if (error instanceof TargetFault) throw refused(path, error.message, dataError);
    throw error;
  }
}

/** @param given for messages */
async function filesOf(path: string, given: string): Promise<TarItem[]> {
  const isFolder = (await found(path, given)).isDirectory();
  if (!isFolder) return [await lonely(path)];
  const files: TarItem[] = [];
  // Links within the folder lead to files that are there by names of their own.
  for (const item of await itemsIn(path, { linkedFolders: 'left out' })) {
    if (item.type === 'file') files.push(item);
  }
  if (files.length > 0) return files;
  throw refused(given, 'there is no file in it; leave --seeds out', noInput);
}

async function lonely(path: string): Promise<TarItem> {
  const { size } = await found(path);
  return {
    path: Buffer.from(basename(path)),
    type: 'file',
    isExecutable: false,
    sizeBytes: size,
    linkTo: Buffer.alloc(0),
    content: () => createReadStream(path),
  };
}

async function found(path: string, given = path) {
  try {
    return await stat(path);
  } catch (error) {
    const why =
      codeOf(error) === 'ENOENT'
        ? 'there is no such folder or file'
        : (describeTrouble(error, 'it') ?? messageOf(error));
    throw refused(given, why, noInput);
  }
}

function expectWithin(items: readonly TarItem[], { entries, bytes }: ArchiveBounds): void {
  const sum = items.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  if (items.length <= entries && sum <= bytes) return;
  throw new UserError(
    `--seeds: they are too many: at most ${entries} files and ${bytes} bytes`,
    dataError,
  );
}

async function hashOf({ content }: TarItem): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of content()) hash.update(chunk);
  return hash.digest('hex');
}

const refused = (path: string, why: string, code: number) =>
  new UserError(`--seeds ${path}: ${why}`, code);
