import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { plainFile, readPlainFile } from '../../sandbox/plain-file.js';

/** Longest source that a report has, bytes. */
const longestSourceBytes = 3 * 2 ** 20;

/**
 * Sources that a bundle has. The compiler's path of a file is looked for with its folders, then
 * with fewer and fewer of them: "/src/png/read.c" as "src/png/read.c", "png/read.c", "read.c".
 * Nothing outside the bundle is read, whatever the program says its sources are.
 */
export class Sources {
  private constructor(
    private readonly root: string,
    private readonly folders: readonly string[],
  ) {}

  static async of(bundle: string, target: string): Promise<Sources | undefined> {
    const root = await realpath(bundle).catch(() => undefined);
    if (root === undefined) return undefined;
    return new Sources(root, [...new Set([root, dirname(await realpath(target))])]);
  }

  /** @param lastLine of the file that has code @returns undefined: there is none that fits */
  async find(path: string, lastLine: number): Promise<string | undefined> {
    const names = path.split('/').filter((name) => name !== '' && name !== '.');
    if (names.includes('..')) return undefined;
    for (let at = 0; at < names.length; at++) {
      for (const folder of this.folders) {
        const text = await this.#read(join(folder, ...names.slice(at)));
        if (text !== undefined && text.split('\n').length >= lastLine) return text;
      }
    }
    return undefined;
  }

  async #read(path: string): Promise<string | undefined> {
    const found = await plainFile(path);
    if (!found || found.size > longestSourceBytes) return undefined;
    const real = await realpath(path).catch(() => '');
    if (!real.startsWith(`${this.root}/`)) return undefined;
    return (await readPlainFile(real))?.toString('utf8').toWellFormed();
  }
}
