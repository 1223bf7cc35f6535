import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What a benchmark is given to work with. */
export interface Bench {
  /** Rounds of each comparison. */
  readonly rounds: number;
  /** 1 for the whole benchmark, less for a quick look: numbers of calls and rows. */
  readonly scale: number;
  /** Of the simulated fleet, instead of as many as the scale says. */
  readonly bots?: number;
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
