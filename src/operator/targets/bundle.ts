import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { codeOf, messageOf, UserError } from '../../core/errors.js';
import { describeTrouble } from '../../core/system-trouble.js';
import { bundleBounds } from '../../target/archive/bounds.js';
import { archiveKind, headOf } from '../../target/archive/kind.js';
import { unpack } from '../../target/archive/unpack.js';
import { checkDictionary } from '../../target/dictionary.js';
import { TargetFault } from '../../target/fault.js';
import { chooseFuzzer, fuzzersIn } from '../../target/fuzzers.js';
import { readOptions } from '../../target/options.js';
import { dataError, noInput } from '../exit-codes.js';
import { nameOf } from '../file-names.js';
import { inWords } from './door.js';
import { packInto, withTemporaryFolder } from './pack.js';
import { itemsIn } from './tree.js';

/** A bundle as people have it, laid out in a folder. */
export interface OpenBundle {
  /** As it was given. */
  readonly path: string;
  /** Where it is laid out: itself, or a temporary folder. */
  readonly folder: string;
  readonly isArchive: boolean;
}

/**
 * Lays out a bundle while `use` runs: an archive is unpacked, as a bot would do it.
 *
 * @throws UserError
 */
export async function withOpenBundle<T>(
  path: string,
  use: (bundle: OpenBundle) => Promise<T>,
): Promise<T> {
  const found = await stat(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') {
      throw new UserError(`${path}: there is no such file or folder`, noInput);
    }
    throw new UserError(describeTrouble(error, path) ?? messageOf(error), noInput);
  });
  if (found.isDirectory()) return use({ path, folder: path, isArchive: false });
  return withTemporaryFolder(async (temporary) => {
    const folder = join(temporary, 'bundle');
    await inWords(path, async () => {
      if (!archiveKind(await headOf(path))) {
        throw new TargetFault('a bundle is a folder, a .tar, a .tar.gz or a .zip');
      }
      await unpack({ as: 'bundle', archive: path, folder });
    });
    return use({ path, folder, isArchive: true });
  });
}

/** The fuzzer of a bundle that is meant: the one named, or the only one. @throws UserError */
export async function fuzzerOf({ path, folder }: OpenBundle, named: string): Promise<string> {
  try {
    return await chooseFuzzer(folder, named);
  } catch (error) {
    if (!(error instanceof TargetFault)) throw error;
    const { fuzzers } = await fuzzersIn(folder);
    const hint =
      named === '' && fuzzers.length > 1
        ? ` behind it, as in "job submit --bundle ${path} ${fuzzers[0]}", or bring all in with "target import ${path}"`
        : '';
    throw new UserError(`${path}: ${error.message}${hint}`, dataError);
  }
}

/** Checks the dictionary that the bundle has for a fuzzer. @throws UserError */
export async function checkOwnDictionary({ folder }: OpenBundle, fuzzer: string): Promise<void> {
  const target = join(folder, fuzzer);
  const options = readOptions(await readFile(`${target}.options`).catch(() => Buffer.alloc(0)));
  const name = options.dictionary ?? `${basename(fuzzer)}.dict`;
  const bytes = await readFile(join(dirname(target), name)).catch(() => undefined);
  if (bytes) await inWords(name, async () => checkDictionary(bytes));
}

/**
 * The archive to send for one fuzzer while `use` runs. Of a folder it has everything but the
 * other fuzzers with their dictionaries, options and seeds: a build output of many fuzzers
 * becomes a bundle each. An archive goes as it is.
 */
export async function withArchiveFor<T>(
  bundle: OpenBundle,
  fuzzer: string,
  use: (archive: { path: string; name: string }) => Promise<T>,
): Promise<T> {
  if (bundle.isArchive) {
    return use({ path: bundle.path, name: nameOf(resolve(bundle.path)) });
  }
  const { fuzzers } = await fuzzersIn(bundle.folder);
  const others = new Set(fuzzers.filter((one) => one !== fuzzer).flatMap(filesOf));
  const items = await itemsIn(bundle.folder, { isWanted: (path) => !others.has(path) });
  const sum = items.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  if (items.length > bundleBounds.entries || sum > bundleBounds.bytes) {
    const most = `${bundleBounds.entries} files and ${bundleBounds.bytes} bytes`;
    throw new UserError(`${bundle.path}: a bundle may have at most ${most}`, dataError);
  }
  return withTemporaryFolder(async (temporary) => {
    const path = join(temporary, 'bundle.tar.gz');
    await packInto(path, items);
    return use({ path, name: nameOf(`${fuzzer}.tar.gz`) });
  });
}

/** The files of a fuzzer in a build output, as latin1 text. */
const filesOf = (fuzzer: string): string[] =>
  ['', '.dict', '.options', '.cmplog', '_seed_corpus.zip'].map((end) =>
    Buffer.from(`${fuzzer}${end}`).toString('latin1'),
  );
