import { readdir } from 'node:fs/promises';
import { changeOf } from './folder-change.js';

/** A younger change may share its time with the next one, milliseconds. */
const settledMs = 200;

/** Names of files that come into a folder, each once. */
export class Arrivals {
  readonly #known = new Set<string>();
  #changedAtMs = -1;

  constructor(private readonly folder: string) {}

  /** What came since the last look. The first look returns all. */
  async look(): Promise<string[]> {
    const changedAtMs = await changeOf(this.folder);
    if (changedAtMs === undefined || changedAtMs === this.#changedAtMs) return [];
    const fresh = (await readdir(this.folder)).filter((name) => !this.#known.has(name));
    for (const name of fresh) this.#known.add(name);
    this.#changedAtMs = changedAtMs < Date.now() - settledMs ? changedAtMs : -1;
    return fresh;
  }
}
