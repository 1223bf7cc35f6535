import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../core/folders.js';

/** Jobs of which something is kept; the oldest go first. */
const mostStates = 8;

/**
 * What engines keep for themselves of jobs whose runs ended with the bot: a later run of the
 * same job on this bot goes on from there. One folder a job; a job never changes its target.
 */
export class EngineStates {
  constructor(private readonly folder: string) {}

  /** Takes the folder away from its run; it need not be there. */
  async keep(jobId: string, state: string): Promise<void> {
    await makeFolder(this.folder);
    const kept = join(this.folder, jobId);
    await rm(kept, { recursive: true, force: true });
    await rename(state, kept).catch(() => {});
    const now = new Date();
    await utimes(kept, now, now).catch(() => {});
    await this.#prune();
  }

  /** Puts it in the place of a new run's empty folder; false where nothing was kept. */
  async restore(jobId: string, state: string): Promise<boolean> {
    return rename(join(this.folder, jobId), state).then(
      () => true,
      () => false,
    );
  }

  async #prune(): Promise<void> {
    const kept: { path: string; atMs: number }[] = [];
    for (const name of await readdir(this.folder)) {
      const path = join(this.folder, name);
      const found = await stat(path).catch(() => undefined);
      if (found) kept.push({ path, atMs: found.mtimeMs });
    }
    kept.sort((a, b) => b.atMs - a.atMs);
    for (const { path } of kept.slice(mostStates)) await rm(path, { recursive: true, force: true });
  }
}
