import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { extract } from 'tar';
import { largestInputBytes } from '../../client/corpus.js';
import { codeOf, messageOf, UserError } from '../../core/errors.js';
import { describeTrouble } from '../../core/system-trouble.js';
import { noInput } from '../exit-codes.js';

/** A file to import. */
export interface ImportedFile {
  /** undefined: it is longer than an input may be. */
  readonly content: Buffer | undefined;
}

/** More than any corpus has; an archive must not fill the disk. */
const mostUnpacked = { files: 1_000_000, bytes: 8 * 2 ** 30 } as const;

/**
 * Every file of the sources: folders with all that is below them, .tar and .tar.gz archives,
 * and single files. Names may have any bytes.
 *
 * @param scratch an empty folder, for what is unpacked
 * @throws UserError for a source that cannot be read
 */
export async function* eachFile(
  sources: readonly string[],
  scratch: string,
): AsyncGenerator<ImportedFile> {
  for (const [index, source] of sources.entries()) {
    const found = await stat(source).catch((error: unknown) => {
      throw unreadable(source, error);
    });
    if (found.isDirectory()) yield* below(Buffer.from(source));
    else if (/\.(?:tar|tar\.gz|tgz)$/i.test(source)) {
      const folder = join(scratch, String(index));
      await mkdir(folder);
      await unpack(source, folder);
      yield* below(Buffer.from(folder));
    } else if (/\.zip$/i.test(source)) {
      const why = 'is a .zip, which is not read here: unpack it, and import the folder';
      throw new UserError(`${source} ${why}`, noInput);
    } else yield await oneFile(Buffer.from(source));
  }
}

async function* below(folder: Buffer): AsyncGenerator<ImportedFile> {
  const entries = await readdir(folder, { withFileTypes: true, encoding: 'buffer' });
  for (const entry of entries) {
    const path = Buffer.concat([folder, Buffer.from('/'), entry.name]);
    if (entry.isDirectory()) yield* below(path);
    else if (entry.isFile()) yield await oneFile(path);
    else if (entry.isSymbolicLink()) {
      const target = await stat(path).catch(() => undefined);
      if (target?.isFile()) yield await oneFile(path);
    }
  }
}

async function oneFile(path: Buffer): Promise<ImportedFile> {
  if ((await stat(path)).size > largestInputBytes) return { content: undefined };
  const content = await readFile(path);
  return { content: content.length <= largestInputBytes ? content : undefined };
}

/** Plain files only; links, devices and paths that lead out are passed over. */
async function unpack(archive: string, folder: string): Promise<void> {
  const unpacked = { files: 0, bytes: 0 };
  const filter = (_path: string, entry: object): boolean => {
    if (!('type' in entry) || !('size' in entry)) return false;
    if (entry.type === 'Directory') return true;
    if (entry.type !== 'File' && entry.type !== 'OldFile') return false;
    unpacked.files += 1;
    unpacked.bytes += Number(entry.size);
    return unpacked.files <= mostUnpacked.files && unpacked.bytes <= mostUnpacked.bytes;
  };
  const plain = { preserveOwner: false, noChmod: true, noMtime: true };
  await extract({ file: archive, cwd: folder, strict: true, ...plain, filter }).catch((error) => {
    throw unreadable(archive, error);
  });
  if (unpacked.files > mostUnpacked.files || unpacked.bytes > mostUnpacked.bytes) {
    const { files, bytes } = mostUnpacked;
    throw new UserError(`${archive} holds more than ${files} files or ${bytes} bytes`, noInput);
  }
}

function unreadable(source: string, error: unknown): UserError {
  const why =
    codeOf(error) === 'ENOENT'
      ? 'there is no such file or folder'
      : (describeTrouble(error, 'it') ?? messageOf(error));
  return new UserError(`${source}: ${why}`, noInput);
}
