import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { filesBelow } from '../../../core/folders.js';
import { shareFile } from '../bring-in.js';
import type { EngineStart } from '../engine.js';
import { makeSharedFolder } from '../shared-folder.js';

/** honggfuzz's folders in the engine's own folder of a run. */
export interface HonggfuzzFolders {
  /** Initial inputs. */
  readonly inputs: string;
  /** Inputs that it finds. */
  readonly output: string;
  readonly crashes: string;
  /** Inputs that arrive while it runs: it deletes them. */
  readonly dynamic: string;
  /** Its report is there. */
  readonly work: string;
  /** File of figures. */
  readonly stats: string;
}

export const foldersIn = (state: string): HonggfuzzFolders => ({
  inputs: join(state, 'in'),
  output: join(state, 'out'),
  crashes: join(state, 'crashes'),
  dynamic: join(state, 'dynamic'),
  work: join(state, 'work'),
  stats: join(state, 'work', 'stats.csv'),
});

/** Everything it found before is in the corpus; each start begins with that and the seeds. */
export async function prepareFolders({ state, corpus, seeds }: EngineStart): Promise<void> {
  const { stats: _file, ...folders } = foldersIn(state);
  for (const folder of Object.values(folders)) {
    await rm(folder, { recursive: true, force: true });
    await makeSharedFolder(folder);
  }
  for (const path of await filesBelow(corpus)) {
    await shareFile(path, join(folders.inputs, basename(path)));
  }
  for (const [index, path] of (await filesBelow(seeds)).entries()) {
    await shareFile(path, join(folders.inputs, `seed-${index}`));
  }
}
