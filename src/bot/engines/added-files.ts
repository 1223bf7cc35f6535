import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { plainFile } from '../sandbox/plain-file.js';
import { changeOf } from './folder-change.js';

/** Files of one look, so that it does not take long; the next one goes on. */
const mostFiles = 1000;

export interface AddedFile {
  readonly name: string;
  readonly path: string;
}

export interface AddedFilesOptions {
  readonly folder: string;
  /** A younger file may be half written, milliseconds. */
  readonly settledMs: number;
  /** Files that were there before, and others that are none of these. */
  readonly isOther?: (name: string) => Promise<boolean>;
}

/**
 * Follows a folder to which an engine adds files of any names; those that begin with a dot are
 * not finished. A look at a folder that has not changed costs one call.
 */
export class AddedFiles {
  readonly #known = new Set<string>();
  #changedAtMs = -1;

  constructor(private readonly options: AddedFilesOptions) {}

  /** @param isLast none is half written any more */
  async fresh(isLast: boolean, isWhole: (name: string) => boolean = () => false) {
    const { folder, settledMs, isOther } = this.options;
    const changedAtMs = await changeOf(folder);
    if (changedAtMs === undefined || (changedAtMs === this.#changedAtMs && !isLast)) return [];
    const fresh: AddedFile[] = [];
    let isThrough = changedAtMs < Date.now() - settledMs;
    for (const name of await readdir(folder)) {
      if (name.startsWith('.') || this.#known.has(name)) continue;
      if (!isLast && fresh.length >= mostFiles) {
        isThrough = false;
        break;
      }
      const path = join(folder, name);
      const found = await plainFile(path);
      if (!found) continue;
      if (!isLast && !isWhole(name) && found.mtimeMs > Date.now() - settledMs) {
        isThrough = false;
        continue;
      }
      this.#known.add(name);
      if (!(await isOther?.(name))) fresh.push({ name, path });
    }
    this.#changedAtMs = isThrough ? changedAtMs : -1;
    return fresh;
  }

  /** A file that is gone: another of its name would be a new one. */
  forget(name: string): void {
    this.#known.delete(name);
  }
}
