import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { filesBelow } from '../../core/folders.js';
import { type RunNote, RunNoteKind } from '../../gen/pandafuzz/v1/job.js';
import type { RunFolder } from '../folders/run-folder.js';
import { format, note } from './notes.js';

/** libFuzzer takes no more of any input, bytes. */
export const longestInputBytes = 2 ** 20;

/** How many seeds the engine cuts: those longer than the limit of the job, or than its own. */
export class CutSeeds {
  #cut = 0;
  #all = 0;
  readonly #limitBytes: number;

  constructor(folder: string, limitBytes: number | undefined) {
    this.#limitBytes = limitBytes || longestInputBytes;
    // A folder that goes meanwhile has nothing more to count.
    void this.#count(folder).catch(() => {});
  }

  get note(): RunNote | undefined {
    if (this.#cut === 0) return undefined;
    const limit = format(this.#limitBytes);
    return note(
      RunNoteKind.SEEDS,
      `${format(this.#cut)} of ${format(this.#all)} seeds are longer than ${limit} bytes and are cut to that (--max-input of the job, jobs.max_input of the master, or the engine's 1 MiB)`,
    );
  }

  async #count(folder: string): Promise<void> {
    for (const path of await filesBelow(folder)) {
      const { size } = await stat(path);
      this.#all += 1;
      if (size > this.#limitBytes) this.#cut += 1;
    }
  }
}

/** Inputs to begin with where there is no seed, and the engine's own first input crashes. */
const starters = ['a', '0', '\0'.repeat(16), '{}'];

/** @returns false when there is no other */
export async function addStarter(
  { seeds }: Pick<RunFolder, 'seeds'>,
  index: number,
): Promise<boolean> {
  const starter = starters[index];
  if (starter === undefined) return false;
  await writeFile(join(seeds, `starter-${index}`), starter);
  return true;
}
