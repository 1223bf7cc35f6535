import { copyFile, link, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { filesBelow, makeFolder } from '../../core/folders.js';
import { startSideProcess } from './side-process.js';
import type { StartParts } from './start.js';

/** Inputs found by starts with a part that are merged together, and that are kept at all. */
const mergedTogether = 64;
const mostPending = 1000;
/** A merge takes as long as the corpus does, so it comes seldom: this many times its own time apart. */
const mergePause = 10;
const leastMergePauseMs = 60_000;
/** A merge that takes longer is ended, milliseconds. */
const mostMergeMs = 10 * 60_000;
const stopGraceMs = 500;

/** Folders of one start. */
export interface CorpusFolders {
  readonly corpus: string;
  readonly seeds: string;
}

/**
 * Starts with a part of the corpus, where a crash ends the target again and again and most of
 * the time goes into reading the whole corpus each time. A part is the square root of the
 * corpus, chosen anew each time, as libFuzzer's own fork mode has it. What such a start finds
 * is new for its part only, so it waits for a merge, which keeps what the corpus lacks.
 */
export class CorpusPart {
  #files: string[] | undefined;
  #mergedAtMs: number;
  #mergeMs = 0;

  constructor(
    private readonly parts: Pick<
      StartParts,
      'clock' | 'engine' | 'folder' | 'log' | 'signal' | 'spec' | 'tools'
    >,
    private readonly random: () => number = Math.random,
  ) {
    this.#mergedAtMs = parts.clock.monotonic();
  }

  /** Where a run keeps inputs that are not in its corpus yet; for a bot that finds them later. */
  static unmerged = (runFolder: string): string[] =>
    ['new', 'pending'].map((name) => join(runFolder, 'part', name));

  get #root(): string {
    return join(this.parts.folder.path, 'part');
  }

  get #pending(): string {
    return join(this.#root, 'pending');
  }

  /** Folders for the next start. */
  async next(): Promise<CorpusFolders> {
    const [corpus, seeds] = [join(this.#root, 'new'), join(this.#root, 'seeds')];
    for (const path of [corpus, seeds]) await rm(path, { recursive: true, force: true });
    for (const path of [corpus, seeds, this.#pending]) await makeFolder(path);
    const { folder } = this.parts;
    this.#files ??= await filesBelow(folder.corpus, folder.seeds);
    const chosen = new Set<string>();
    const wanted = Math.ceil(Math.sqrt(this.#files.length + 2));
    for (let tries = 0; chosen.size < wanted && tries < 2 * wanted; tries++) {
      const path = this.#files[Math.floor(this.random() * this.#files.length)];
      if (path !== undefined) chosen.add(path);
    }
    let index = 0;
    for (const path of chosen) {
      const to = join(seeds, String(index++));
      // It may have left the corpus meanwhile.
      await link(path, to).catch(() => copyFile(path, to).catch(() => {}));
    }
    return { corpus, seeds };
  }

  /** Takes what the start has found, and merges when it is time. */
  async ended(): Promise<void> {
    const { clock, engine } = this.parts;
    const found = join(this.#root, 'new');
    const pending = new Set(await readdir(this.#pending));
    for (const name of await readdir(found)) {
      if (pending.size >= mostPending) break;
      const content = await readFile(join(found, name));
      if (!engine.isInput(name, content)) continue;
      await rename(join(found, name), join(this.#pending, name));
      pending.add(name);
    }
    const sinceMs = clock.monotonic() - this.#mergedAtMs;
    const pauseMs = Math.max(mergePause * this.#mergeMs, leastMergePauseMs);
    const isDue = pending.size >= mergedTogether ? sinceMs >= mergePause * this.#mergeMs : false;
    if (pending.size > 0 && (isDue || sinceMs >= pauseMs)) await this.#merge();
  }

  /** All that is found joins the corpus, merged or not: nothing is lost. */
  async close(): Promise<void> {
    const { folder } = this.parts;
    for (const name of await readdir(this.#pending).catch(() => [])) {
      await rename(join(this.#pending, name), join(folder.corpus, name));
    }
    await rm(this.#root, { recursive: true, force: true });
  }

  async #merge(): Promise<void> {
    const { clock, engine, folder, log, signal, spec } = this.parts;
    const beganAtMs = clock.monotonic();
    const state = join(this.#root, 'state');
    await makeFolder(state);
    const seconds = Math.ceil(mostMergeMs / 1000);
    const of = { target: folder.target, spec, inputs: this.#pending, output: folder.corpus };
    const command = await engine.merge?.({ ...of, state, seconds });
    if (command) {
      const { exited } = await startSideProcess(this.parts, command, {
        ...{ cwd: folder.path, temporary: state },
        ...{ stopGraceMs, limitMs: mostMergeMs },
      });
      const exit = await exited;
      signal.throwIfAborted();
      log.debug({ ...exit }, 'found inputs merged');
      if (exit.code === 0) {
        await rm(this.#pending, { recursive: true, force: true });
        await makeFolder(this.#pending);
      }
    }
    this.#files = undefined;
    this.#mergedAtMs = clock.monotonic();
    this.#mergeMs = this.#mergedAtMs - beganAtMs;
  }
}
