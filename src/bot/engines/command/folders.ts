import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { filesBelow } from '../../../core/folders.js';
import { shareFile } from '../bring-in.js';
import type { EngineStart } from '../engine.js';
import { makeSharedFolder } from '../shared-folder.js';

/** Folders of the command convention, in the engine's own folder of a run. */
export interface CommandFolders {
  /** Inputs to begin with, those of other bots, and those that the engine finds. */
  readonly corpus: string;
  /** Inputs that crash. */
  readonly crashes: string;
  /** Kept from one start to the next. */
  readonly state: string;
}

export const foldersIn = (state: string): CommandFolders => ({
  corpus: join(state, 'corpus'),
  crashes: join(state, 'crashes'),
  state: join(state, 'state'),
});

/** Names of seeds: their own may be the same in several folders. */
export const seedPrefix = 'seed-';

/** Lays out the folders, so that the corpus has what the run's corpus and seeds have. */
export async function prepareFolders(start: EngineStart): Promise<void> {
  const folders = foldersIn(start.state);
  for (const folder of Object.values(folders)) await makeSharedFolder(folder);
  const wanted = new Map<string, string>();
  for (const path of await filesBelow(start.corpus)) wanted.set(basename(path), path);
  for (const [index, path] of (await filesBelow(start.seeds)).sort().entries()) {
    wanted.set(`${seedPrefix}${index}`, path);
  }
  const there = new Set(await readdir(folders.corpus));
  for (const name of there) {
    // Taken out of the corpus since, as it crashes; or a find, which is in the corpus under its digest.
    if (!wanted.has(name) || name.startsWith(seedPrefix)) {
      await rm(join(folders.corpus, name), { recursive: true, force: true });
      there.delete(name);
    }
  }
  for (const [name, path] of wanted) {
    if (!there.has(name)) await shareFile(path, join(folders.corpus, name));
  }
}
