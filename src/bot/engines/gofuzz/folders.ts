import { readdir, readFile, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { filesBelow } from '../../../core/folders.js';
import { readPlainFile } from '../../sandbox/plain-file.js';
import { writeNew, writeWhole } from '../bring-in.js';
import type { EngineStart } from '../engine.js';
import { sha1Of } from '../plain-names.js';
import { makeSharedFolder, makeSharedFolders } from '../shared-folder.js';
import { decode, encode } from './corpus-file.js';
import { type FuzzTest, fuzzTestOf } from './fuzz-test.js';

/** Files written at once. */
const filesAtOnce = 32;

/** Folders of Go's in the engine's own folder of a run. */
export interface GoFolders {
  /** Working folder: the package's. */
  readonly work: string;
  /** Of -test.fuzzcachedir; a folder each fuzz test. */
  readonly cache: string;
  /** The engine's own folder. */
  readonly state: string;
  /** The test that is fuzzed, for a later look. */
  readonly test: string;
}

export const foldersIn = (state: string): GoFolders => ({
  work: join(state, 'package'),
  cache: join(state, 'cache'),
  state,
  test: join(state, 'test.json'),
});

/** Where Go writes an input that fails, and reads those that failed before. */
export const failuresIn = ({ work }: GoFolders, { name }: FuzzTest): string =>
  join(work, 'testdata', 'fuzz', name);

export const cacheOf = ({ cache }: GoFolders, { name }: FuzzTest): string => join(cache, name);

/** What a look at the folders goes by; undefined before the first start. */
export async function readTest({ test }: GoFolders): Promise<FuzzTest | undefined> {
  const text = await readPlainFile(test);
  if (!text) return undefined;
  const { name, type } = JSON.parse(text.toString('utf8')) as Partial<FuzzTest>;
  const isKnown = type === '[]byte' || type === 'string' || type === 'other';
  return isKnown && /^Fuzz[^/\s]*$/.test(name ?? '') ? { name: name as string, type } : undefined;
}

/**
 * Lays out Go's folders so that its cache has what the run's corpus and seeds have. Go itself
 * would keep an input that crashes, and run into it again at each start.
 */
export async function prepareFolders(start: EngineStart): Promise<void> {
  const folders = foldersIn(start.state);
  for (const path of [folders.work, folders.cache]) await makeSharedFolder(path);
  const test = await fuzzTestOf(start, start.state);
  await writeNew(folders.test, JSON.stringify(test));
  const failures = failuresIn(folders, test);
  await rm(failures, { recursive: true, force: true });
  await makeSharedFolders(folders.work, 'testdata', 'fuzz', test.name);
  await bringOwnSeeds(start, folders, test);
  await linkPackage(start.target, folders.work);
  const cache = cacheOf(folders, test);
  await makeSharedFolder(cache);
  await layOut(await wantedInputs(start), cache, test);
}

/** What the package has in testdata/fuzz/ joins the seeds, once. */
async function bringOwnSeeds({ target, seeds }: EngineStart, { state }: GoFolders, test: FuzzTest) {
  const mark = join(state, 'own-seeds');
  if (await readPlainFile(mark)) return;
  const own = join(dirname(target), 'testdata', 'fuzz', test.name);
  for (const path of await filesBelow(own).catch(() => [])) {
    const file = await readPlainFile(path);
    const input = file && decode(file, test.type);
    if (input) await writeWhole(join(seeds, `package-${sha1Of(input)}`), input);
  }
  await writeNew(mark, 'brought');
}

/** Paths of inputs by their names in the cache. */
async function wantedInputs(start: EngineStart): Promise<Map<string, string>> {
  const wanted = new Map<string, string>();
  for (const path of await filesBelow(start.corpus)) wanted.set(basename(path), path);
  for (const path of await filesBelow(start.seeds)) {
    const input = await readPlainFile(path);
    if (input) wanted.set(`seed-${sha1Of(input)}`, path);
  }
  return wanted;
}

async function layOut(wanted: ReadonlyMap<string, string>, cache: string, test: FuzzTest) {
  const there = new Set(await readdir(cache));
  for (const name of there) {
    // Taken out of the corpus since; or a find, which is there under its digest.
    if (!wanted.has(name)) await rm(join(cache, name), { recursive: true, force: true });
  }
  const missing = [...wanted].filter(([name]) => !there.has(name));
  for (let at = 0; at < missing.length; at += filesAtOnce) {
    const some = missing.slice(at, at + filesAtOnce);
    await Promise.all(some.map(([name, path]) => write(path, join(cache, name), test)));
  }
}

async function write(from: string, to: string, { type }: FuzzTest): Promise<void> {
  // It may have left the corpus meanwhile.
  const content = await readFile(from).catch(() => undefined);
  if (!content) return;
  const input = decode(content, type);
  // As what crashes is compared with it, and taken out.
  if (!input.equals(content)) await writeWhole(from, input);
  try {
    await writeNew(to, encode(input, type));
  } catch (error) {
    await rm(to, { force: true }); // cut off by a full disk
    throw error;
  }
}

/** Tests read files beside them: those of a bundle, as links. */
async function linkPackage(target: string, work: string): Promise<void> {
  const from = dirname(target);
  for (const name of await readdir(from)) {
    if (name !== 'testdata') await link(join(from, name), join(work, name));
  }
  for (const name of await readdir(join(from, 'testdata')).catch(() => [])) {
    if (name !== 'fuzz') await link(join(from, 'testdata', name), join(work, 'testdata', name));
  }
}

const link = (from: string, to: string): Promise<void> => symlink(from, to).catch(() => {});
