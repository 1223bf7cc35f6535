import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { plainFile } from '../../sandbox/plain-file.js';
import { changeOf } from '../folder-change.js';

/** Files of one look, so that it does not take long; the next one goes on. */
const mostFiles = 2000;
/** A younger file may be half written, milliseconds. */
const settledMs = 200;

export interface NumberedFile {
  /** e.g. "id:000003,src:000001,time:1183,execs:40211,op:havoc,rep:4". */
  readonly name: string;
  readonly path: string;
}

/**
 * Follows a folder to which AFL++ adds files with growing numbers. A look at a folder that
 * has not changed costs one call.
 */
export class NumberedFiles {
  #next = 0;
  #changedAtMs = -1;

  constructor(private readonly folder: string) {}

  /** New files by their numbers. @param isLast none is half written any more */
  async fresh(isLast: boolean): Promise<NumberedFile[]> {
    const changedAtMs = await changeOf(this.folder);
    if (changedAtMs === undefined || (changedAtMs === this.#changedAtMs && !isLast)) return [];
    const numbered = (await readdir(this.folder))
      .map((name) => ({ name, number: numberOf(name) }))
      .filter(({ number }) => number >= this.#next)
      .sort((a, b) => a.number - b.number);
    const fresh: NumberedFile[] = [];
    for (const { name, number } of isLast ? numbered : numbered.slice(0, mostFiles)) {
      const path = join(this.folder, name);
      const found = await plainFile(path);
      if (found && !isLast && found.mtimeMs > Date.now() - settledMs) break;
      this.#next = number + 1;
      if (found && found.size > 0) fresh.push({ name, path });
    }
    const isThrough = numbered.every(({ number }) => number < this.#next);
    // A change just before the look may share its time with one just after it.
    const isOld = changedAtMs < Date.now() - settledMs;
    this.#changedAtMs = isThrough && isOld ? changedAtMs : -1;
    return fresh;
  }
}

const numberOf = (name: string): number => Number(/^id[:_](\d{6,9})\b/.exec(name)?.[1] ?? -1);
