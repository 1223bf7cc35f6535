import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../core/folders.js';

/** Files of the data folder that the next start removes. */
export class TemporaryFiles {
  readonly #folder: string;

  constructor(blobs: string) {
    this.#folder = join(blobs, 'incoming');
  }

  async open(): Promise<void> {
    await makeFolder(this.#folder);
    for (const name of await readdir(this.#folder)) {
      await rm(join(this.#folder, name), { force: true });
    }
  }

  /** A path without a file. */
  path(): string {
    return join(this.#folder, randomUUID());
  }
}
