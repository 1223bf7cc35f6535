import { mkdir, readFile, rename, rm, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { corpusInput } from '../../../client/corpus.js';
import { filesBelow, makeFolder } from '../../../core/folders.js';
import { PutAsideReason } from '../../../gen/pandafuzz/v1/corpus_service.js';
import type { PutAside } from '../../corpus/put-aside.js';
import type { EndedStart } from '../start.js';
import type { Tally } from '../tally.js';
import { screen } from './screen.js';
import { type VerdictParts, Verdicts } from './verdicts.js';

/** An engine that has not come to fuzz in this time is held up by its corpus, milliseconds. */
const longestLoadMs = 15_000;
/** Starts in a row that end in the midst of a corpus that was looked at before it is again. */
const mostFailures = 2;
/** Inputs that wait to be judged, bytes. */
const mostWaitingBytes = 64 * 2 ** 20;
/** Times that all of it is looked at. */
const mostScreenings = 3;
/** Inputs executed in one process. */
const screenedAtOnce = 250;
/** The engine waits so long for the first of them, milliseconds. */
const longestWaitMs = 1000;

export interface LoadingParts extends VerdictParts {
  readonly tally: Tally;
  readonly aside: PutAside;
  /** Runs `work` while no input is put into the corpus folder. */
  readonly whileStill: (work: () => Promise<void>) => Promise<void>;
}

const reasons = {
  crash: PutAsideReason.CRASH,
  slow: PutAsideReason.SLOW,
  memory: PutAsideReason.MEMORY,
} as const;

/** An input that was put aside, and what was printed of it. */
interface Late {
  readonly input: Buffer;
  readonly why: keyof typeof reasons;
  readonly words: string;
}

/**
 * Sees to it that a build comes to fuzz whatever its corpus holds:
 *
 *   a start ends, or is still busy after some time, before it fuzzes
 *     ── the whole corpus is taken out, the engine fuzzes at once, and each input that does
 *        no harm when it is executed comes back while it does
 *     ── later, once: what crashed it is taken out; again: the whole corpus
 *
 * What does harm is put aside for the build: other runs are spared it. A crash is a crash
 * all the same, and reported as one.
 */
export class Loading {
  readonly #stop = new AbortController();
  readonly #verdicts: Verdicts;
  #failures = 0;
  #screenings = 0;
  #screening: Promise<void> = Promise.resolve();
  #queue: string[] = [];
  #judging: Promise<void> = Promise.resolve();
  #waitingBytes = 0;

  constructor(private readonly parts: LoadingParts) {
    const signal = AbortSignal.any([parts.signal, this.#stop.signal]);
    this.#verdicts = new Verdicts({ ...parts, signal });
  }

  /** What ends one start that does not come to fuzz. */
  guard(): { readonly signal: AbortSignal; readonly end: () => void } {
    const { clock, signal, tally } = this.parts;
    if (!this.#canScreen) return { signal, end: () => {} };
    const cut = new AbortController();
    const timer = clock.schedule(longestLoadMs, () => {
      if (tally.isLoading) cut.abort(new Error('the corpus takes too long to load'));
    });
    return { signal: AbortSignal.any([signal, cut.signal]), end: () => timer.cancel() };
  }

  /** @returns whether the next start is with another corpus, so that this one says nothing */
  async ended(start: EndedStart, guard: { readonly signal: AbortSignal }): Promise<boolean> {
    if (start.isFuzzing) {
      this.#failures = 0;
      return false;
    }
    const isCut = guard.signal.aborted && !this.parts.signal.aborted;
    if (start.removed > 0) this.#failures += 1;
    const most = this.#screenings === 0 ? 1 : mostFailures;
    if (!isCut && this.#failures < most) return false;
    if (!this.#canScreen) return false;
    this.#failures = 0;
    this.#screenings += 1;
    await this.#takeOut();
    const { clock, log } = this.parts;
    log.info({ inputs: this.#queue.length, isCut }, 'corpus taken out to be looked at');
    const enough = Promise.withResolvers<void>();
    const timer = clock.schedule(longestWaitMs, enough.resolve);
    this.#screening = this.#screening.then(() => this.#screen());
    await Promise.race([this.#screening, enough.promise]);
    timer.cancel();
    return true;
  }

  /** After it nothing goes on. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('the run has ended'));
    await this.#screening;
    await this.#judging;
  }

  get #isOver(): boolean {
    return this.#stop.signal.aborted || this.parts.signal.aborted;
  }

  get #canScreen(): boolean {
    return this.parts.engine.screening !== undefined && this.#screenings < mostScreenings;
  }

  async #takeOut(): Promise<void> {
    const { folder, whileStill } = this.parts;
    const room = join(folder.path, 'taken-out', String(this.#screenings));
    await makeFolder(room);
    await whileStill(async () => {
      await rename(folder.corpus, join(room, 'corpus'));
      await mkdir(folder.corpus);
    });
    await rename(folder.seeds, join(room, 'seeds'));
    await mkdir(folder.seeds);
    for (const path of await filesBelow(room)) this.#queue.push(path);
  }

  async #screen(): Promise<void> {
    const { log } = this.parts;
    const signal = AbortSignal.any([this.parts.signal, this.#stop.signal]);
    try {
      while (this.#queue.length > 0) {
        const paths = this.#queue.splice(0, screenedAtOnce);
        const found = await screen(paths, { ...this.parts, signal });
        if (!found) {
          log.warn('the target does not say what it executes: its corpus is not looked at');
          await this.#bringBack([...paths, ...this.#queue.splice(0)]);
          return;
        }
        await this.#bringBack(paths.slice(0, found.good));
        if (!found.bad) continue;
        this.#queue.unshift(...paths.slice(found.good + 1));
        this.#judge(await this.#putAside(paths[found.good] as string, found.bad));
      }
    } catch (error) {
      if (!signal.aborted) log.error({ err: error }, 'corpus not looked at');
    }
  }

  /** One after the other, while further inputs are executed. */
  #judge(late: Late): void {
    if (this.#waitingBytes + late.input.length > mostWaitingBytes) return;
    this.#waitingBytes += late.input.length;
    this.#judging = this.#judging
      .then(() => (this.#stop.signal.aborted ? undefined : this.#verdicts.judge(late.input, late)))
      .catch((error) => {
        if (!this.#isOver) this.parts.log.error({ err: error }, 'input not judged');
      })
      .finally(() => {
        this.#waitingBytes -= late.input.length;
      });
  }

  async #putAside(path: string, bad: Omit<Late, 'input'>): Promise<Late> {
    const { aside, log } = this.parts;
    const { sha256, bytes: input } = corpusInput(await readFile(path));
    aside.add(sha256, input.length, reasons[bad.why]);
    log.info({ sha256, why: bad.why }, 'input put aside');
    await rm(path, { force: true });
    return { input, ...bad };
  }

  /** An engine that runs passes over what looks old. */
  async #bringBack(paths: readonly string[]): Promise<void> {
    const { corpus } = this.parts.folder;
    const soon = Date.now() / 1000 + 1;
    for (const path of paths) {
      const name = basename(path);
      const isDigest = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(name);
      const to = isDigest ? name : corpusInput(await readFile(path)).sha256;
      await utimes(path, soon, soon);
      await rename(path, join(corpus, to));
    }
  }
}
