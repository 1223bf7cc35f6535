import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../core/errors.js';

/** What a database had come to when it was last looked at. */
export interface Seen {
  readonly epoch: number;
  /** Marks rise with each probe write. */
  readonly marks: number;
}

/**
 * A small file beside the database, outside it: it says how far the database had come. A
 * database that has come less far is an older one, put back.
 */
export class Witness {
  readonly #path: string;

  constructor(directory: string) {
    this.#path = join(directory, 'pandafuzz.epoch');
  }

  /** undefined where there is none that can be read. */
  async read(): Promise<Seen | undefined> {
    try {
      const { epoch, marks } = JSON.parse(await readFile(this.#path, 'utf8'));
      return Number.isSafeInteger(epoch) && Number.isSafeInteger(marks)
        ? { epoch, marks }
        : undefined;
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  /** The file is whole, whenever the process ends; `isSynced`: and on disk. */
  async write({ epoch, marks }: Seen, isSynced: boolean): Promise<void> {
    const next = `${this.#path}.new`;
    const file = await open(next, 'w');
    try {
      await file.writeFile(`${JSON.stringify({ epoch, marks })}\n`);
      if (isSynced) await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, this.#path);
  }
}
