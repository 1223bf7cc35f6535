import { copyFile, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { filesBelow, makeFolder } from '../../../core/folders.js';
import { plainFile } from '../../sandbox/plain-file.js';
import { shareFile } from '../bring-in.js';
import type { EngineStart } from '../engine.js';

/** AFL++'s folders in the engine's own folder of a run. */
export interface AflFolders {
  /** Initial inputs. */
  readonly inputs: string;
  /** One folder an instance. */
  readonly output: string;
  /** Inputs that arrive while it runs. */
  readonly foreign: string;
  /** Figures of the start before, a file an instance: AFL++ goes on counting from them. */
  readonly before: string;
}

export const foldersIn = (state: string): AflFolders => ({
  inputs: join(state, 'in'),
  output: join(state, 'out'),
  foreign: join(state, 'foreign'),
  before: join(state, 'before'),
});

export const mainInstance = 'main';

export const instanceNames = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => (index === 0 ? mainInstance : `secondary${index}`));

/** Input of a target that has no seeds: AFL++ needs one that is not empty. */
const firstInput = '0';

/**
 * Lays out the folders for a start. An instance that had come to fuzz goes on from its own
 * queue; otherwise AFL++ begins with the seeds and the corpus.
 */
export async function prepareFolders({ state, corpus, seeds }: EngineStart): Promise<void> {
  const { inputs, output, foreign, before } = foldersIn(state);
  await makeFolder(foreign);
  await rm(before, { recursive: true, force: true });
  await makeFolder(before);
  if (await isResumable(output)) {
    for (const name of await readdir(output)) {
      await copyFile(join(output, name, 'fuzzer_stats'), join(before, name)).catch(() => {});
    }
    return;
  }
  for (const folder of [inputs, output]) await rm(folder, { recursive: true, force: true });
  await makeFolder(inputs);
  await makeFolder(output);
  const laid = [await layOut(corpus, inputs, 'corpus'), await layOut(seeds, inputs, 'seed')];
  if (laid.every((count) => count === 0)) await writeFile(join(inputs, 'first'), firstInput);
}

/** AFL++ writes its figures for the first time when it has run its initial inputs. */
export const isResumable = async (output: string): Promise<boolean> =>
  (await plainFile(join(output, mainInstance, 'fuzzer_stats'))) !== undefined;

/** Links the plain files below a folder, under names that AFL++ can carry on. */
async function layOut(folder: string, to: string, prefix: string): Promise<number> {
  let count = 0;
  for (const path of await filesBelow(folder).catch(() => [])) {
    const found = await plainFile(path);
    if (!found || found.size === 0) continue;
    // Digests keep their names, so that later looks know what AFL++ has got.
    const own = basename(path);
    const name = /^[0-9a-f]{16,64}$/.test(own) ? own : `${prefix}-${count}`;
    if (await shareFile(path, join(to, name))) count += 1;
  }
  return count;
}
