import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Sizes } from './figure.js';

/** Means of a benchmark. */
export interface Bench {
  /** Rounds of each comparison. */
  readonly rounds: number;
  readonly sizes: Sizes;
  /** Share of the whole benchmark's numbers and times; 1 for all of them. */
  readonly scale: number;
  /** A new empty folder, on the disk of this checkout. */
  folder(): string;
  say(line: string): void;
}

/** Runs `work` with folders that are gone afterwards. */
export async function withFolders<T>(
  parent: string,
  work: (folder: () => string) => Promise<T>,
): Promise<T> {
  const folders: string[] = [];
  try {
    return await work(() => {
      const folder = mkdtempSync(join(parent, 'bench-'));
      folders.push(folder);
      return folder;
    });
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }
}
