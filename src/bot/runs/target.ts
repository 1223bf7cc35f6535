import { access, chmod, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { JobKind, type JobSpec } from '../../gen/pandafuzz/v1/job.js';
import { archiveKind, headOf } from '../../target/archive/kind.js';
import { unpack } from '../../target/archive/unpack.js';
import { isReserved } from '../../target/arguments.js';
import { chooseFuzzer } from '../../target/fuzzers.js';
import { librariesOf, libraryPath } from '../../target/libraries.js';
import { type FuzzerOptions, readOptions } from '../../target/options.js';
import type { ArtifactCache } from '../folders/artifacts.js';
import { keepSpec, type RunFolder, runFolderAt } from '../folders/run-folder.js';

/** A target in its run's folder, and what its job comes to with what the bundle says. */
export interface PreparedTarget {
  readonly folder: RunFolder;
  readonly spec: JobSpec;
}

interface Preparing {
  readonly spec: JobSpec;
  readonly folder: RunFolder;
  readonly artifacts: ArtifactCache;
  readonly signal: AbortSignal;
}

/**
 * Brings the target, its dictionary and its seeds into the run's folder. Of a bundle,
 * NAME.options, NAME.dict and NAME_seed_corpus.zip count, and what the job itself says goes
 * before them.
 *
 * @throws TargetFault for what is of no use on any bot; what the master answers; the system's
 *   errors
 */
export async function prepareTarget(preparing: Preparing): Promise<PreparedTarget> {
  const { artifacts, folder, signal, spec } = preparing;
  const arrived = join(folder.path, 'target');
  await artifacts.place(spec.targetSha256, arrived, signal);
  const isBundle = archiveKind(await headOf(arrived)) !== undefined;
  const prepared = isBundle
    ? await unpackBundle(preparing, arrived)
    : await placeProgram(preparing, arrived);
  if (spec.kind === JobKind.UNSPECIFIED) await bringSeeds(preparing);
  if (spec.dictionarySha256 === '') return prepared;
  const { dictionary } = folder;
  await artifacts.place(spec.dictionarySha256, dictionary, signal);
  return { ...prepared, folder: { ...prepared.folder, dictionary } };
}

async function placeProgram(
  { folder, spec: given }: Preparing,
  arrived: string,
): Promise<PreparedTarget> {
  const spec = { ...given, executable: '' };
  const { target } = runFolderAt(folder.path, spec);
  await rename(arrived, target);
  return { folder: { ...folder, target }, spec };
}

async function unpackBundle(preparing: Preparing, arrived: string): Promise<PreparedTarget> {
  const { folder, spec: given, signal } = preparing;
  await unpack({ as: 'bundle', archive: arrived, folder: folder.bundle }, { signal });
  await rm(arrived, { force: true });
  const executable = await chooseFuzzer(folder.bundle, given.executable);
  const target = join(folder.bundle, executable);
  await chmod(target, 0o755);
  const options = await optionsOf(target);
  const dictionary = await dictionaryOf(target, options, folder.bundle);
  const spec = withBundle({ ...given, executable }, options, await libraryFolders(target));
  await keepSpec(folder, spec);
  if (spec.kind === JobKind.UNSPECIFIED) await unpackOwnSeeds(preparing, target);
  return { folder: { ...folder, target, dictionary: dictionary ?? folder.dictionary }, spec };
}

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

async function optionsOf(target: string): Promise<FuzzerOptions> {
  const bytes = await readFile(`${target}.options`).catch(() => Buffer.alloc(0));
  return readOptions(bytes, isReserved);
}

/** The dictionary that the bundle has for a target; it stays in the bundle. */
async function dictionaryOf(
  target: string,
  { dictionary }: FuzzerOptions,
  bundle: string,
): Promise<string | undefined> {
  const named = dictionary === undefined ? [] : [join(dirname(target), dictionary)];
  for (const path of [...named, `${target}.dict`]) {
    const isInside = !relative(bundle, path).startsWith('..');
    if (isInside && (await isThere(path))) return path;
  }
  return undefined;
}

/** Folders of the bundle that the target's loader has to be told. */
const libraryFolders = async (target: string): Promise<string> =>
  libraryPath(await librariesOf(target)).join(':');

/** The job's own arguments and variables come last, and win. */
function withBundle(spec: JobSpec, options: FuzzerOptions, libraries: string): JobSpec {
  const flags = options.flags.map(([name, value]) => `-${name}=${value}`);
  const environment = new Map(Object.entries(spec.environment));
  for (const [name, value] of Object.entries(options.environment)) {
    const own = environment.get(name);
    if (own === undefined) environment.set(name, value);
    else if (name.endsWith('_OPTIONS')) environment.set(name, `${value}:${own}`);
  }
  if (libraries !== '' && !environment.has('LD_LIBRARY_PATH')) {
    environment.set('LD_LIBRARY_PATH', libraries);
  }
  return {
    ...spec,
    arguments: spec.engine === 'libfuzzer' ? [...flags, ...spec.arguments] : spec.arguments,
    environment: Object.fromEntries(environment),
  };
}

async function unpackOwnSeeds({ folder, signal }: Preparing, target: string): Promise<void> {
  const archive = join(dirname(target), `${basename(target)}_seed_corpus.zip`);
  if (!(await isThere(archive))) return;
  await unpack({ as: 'seeds', archive, folder: folder.seeds }, { signal });
}

async function bringSeeds({ artifacts, folder, signal, spec }: Preparing): Promise<void> {
  if (spec.seedsSha256 === '') return;
  const archive = join(folder.path, 'seeds.archive');
  await artifacts.place(spec.seedsSha256, archive, signal);
  await unpack({ as: 'seeds', archive, folder: folder.seeds }, { signal });
  await rm(archive, { force: true });
}
