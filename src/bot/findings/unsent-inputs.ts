import { createHash } from 'node:crypto';
import { copyFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../core/folders.js';
import type { JobSpec } from '../../gen/pandafuzz/v1/job.js';
import { plainFile } from '../sandbox/plain-file.js';

/** Kept of all targets. */
const defaultBounds = { files: 100_000, bytes: 2 ** 30 } as const;

/**
 * Inputs that a run found before its bot was killed, by target. Which of them the master has
 * is not known any more. The next run of the target on this bot begins with them, and sends
 * those that are new.
 */
export class UnsentInputs {
  constructor(
    private readonly folder: string,
    private readonly bounds: { readonly files: number; readonly bytes: number } = defaultBounds,
  ) {}

  /** Moves inputs here; those that do not fit into the bounds stay where they are. */
  async save(spec: JobSpec, paths: readonly string[]): Promise<number> {
    if (paths.length === 0) return 0;
    const folder = this.#folderOf(spec);
    await makeFolder(folder);
    let { files, bytes } = await this.#prune();
    let saved = 0;
    for (const path of paths) {
      const found = await plainFile(path);
      if (!found || files + 1 > this.bounds.files || bytes + found.size > this.bounds.bytes)
        continue;
      await move(path, join(folder, nameOf(path)));
      files += 1;
      bytes += found.size;
      saved += 1;
    }
    return saved;
  }

  /** Moves the inputs of a target to a run's corpus folder. */
  async take(spec: JobSpec, corpus: string): Promise<void> {
    const folder = this.#folderOf(spec);
    for (const name of await readdir(folder).catch(() => [])) {
      await move(join(folder, name), join(corpus, name));
    }
    await rm(folder, { recursive: true, force: true });
  }

  #folderOf({ project, targetName }: JobSpec): string {
    const key = JSON.stringify([project || 'default', targetName]);
    return join(this.folder, createHash('sha256').update(key).digest('hex').slice(0, 32));
  }

  /** Removes the targets that were not fuzzed for longest, to half of the bounds. */
  async #prune(): Promise<{ files: number; bytes: number }> {
    const kept: { path: string; atMs: number; files: number; bytes: number }[] = [];
    for (const name of await readdir(this.folder)) {
      const path = join(this.folder, name);
      const { mtimeMs: atMs } = await stat(path);
      let [files, bytes] = [0, 0];
      for (const file of await readdir(path)) {
        files += 1;
        bytes += (await stat(join(path, file))).size;
      }
      kept.push({ path, atMs, files, bytes });
    }
    kept.sort((a, b) => a.atMs - b.atMs);
    const total = { files: 0, bytes: 0 };
    for (const { files, bytes } of kept) {
      total.files += files;
      total.bytes += bytes;
    }
    const isOver = () => total.files > this.bounds.files / 2 || total.bytes > this.bounds.bytes / 2;
    while (kept.length > 1 && isOver()) {
      const oldest = kept.shift() as (typeof kept)[number];
      await rm(oldest.path, { recursive: true, force: true });
      total.files -= oldest.files;
      total.bytes -= oldest.bytes;
    }
    return total;
  }
}

const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);

async function move(from: string, to: string): Promise<void> {
  await rename(from, to).catch(async () => {
    await copyFile(from, to);
    await rm(from, { force: true });
  });
}
