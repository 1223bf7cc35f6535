import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { shareFile } from '../bring-in.js';
import { changeOf } from '../folder-change.js';

/** Time of the first file, seconds; AFL++ only compares these times with each other. */
const firstSecond = 1_000_000_000;
/** A younger change may share its time with the next one, milliseconds. */
const settledMs = 200;

/**
 * Hands inputs that arrive in the corpus folder over to AFL++, in a folder that it looks
 * through from time to time (-F). It passes over a file that is not younger, in whole
 * seconds, than all it has seen there: so each file gets a time of its own, one second after
 * the file before.
 */
export class ForeignInputs {
  #known: Set<string> | undefined;
  #second = firstSecond;
  #changedAtMs = -1;

  constructor(
    private readonly corpus: string,
    private readonly inputs: string,
    private readonly foreign: string,
  ) {}

  /** @param own files in the corpus folder that came from AFL++ itself */
  async look(own: ReadonlySet<string>): Promise<void> {
    const changedAtMs = await changeOf(this.corpus);
    if (changedAtMs === undefined || changedAtMs === this.#changedAtMs) return;
    const known = await this.#knownInputs();
    for (const name of await readdir(this.corpus)) {
      if (known.has(name) || own.has(name)) continue;
      const path = join(this.foreign, name);
      if (await shareFile(join(this.corpus, name), path))
        await utimes(path, this.#second, this.#second++);
      known.add(name);
    }
    this.#changedAtMs = changedAtMs < Date.now() - settledMs ? changedAtMs : -1;
  }

  /** What AFL++ began with, and what an earlier start was given. */
  async #knownInputs(): Promise<Set<string>> {
    if (this.#known) return this.#known;
    const given = await readdir(this.foreign).catch(() => []);
    this.#second = firstSecond + given.length;
    this.#known = new Set([...given, ...(await readdir(this.inputs).catch(() => []))]);
    return this.#known;
  }
}
