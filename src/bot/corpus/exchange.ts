import { readdir, stat, utimes } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { status as Code } from '@grpc/grpc-js';
import type { Connection } from '../../client/connect.js';
import {
  type CorpusInput,
  corpusInput,
  largestInputBytes,
  pushCorpus,
} from '../../client/corpus.js';
import { failureOf, isAway } from '../../client/failure.js';
import { untilAnswered } from '../../client/until-answered.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { codeOf, messageOf } from '../../core/errors.js';
import { filesBelow } from '../../core/folders.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import { CorpusOrigin } from '../../gen/pandafuzz/v1/corpus_service.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { Engine } from '../engines/engine.js';
import type { RunFolder } from '../folders/run-folder.js';
import { readPlainFile } from '../sandbox/plain-file.js';
import { FullCorpus } from './full-corpus.js';
import type { PutAside } from './put-aside.js';
import type { Stock } from './stock.js';

/** Inputs and bytes sent in one call. */
const largestPush = { inputs: 1024, bytes: 8 * 2 ** 20 } as const;
/** Of the last inputs of a run: calls that a master answered, and refused. */
const mostRefusals = 3;
/** Inputs that get their place in the run's folder at once. */
const laidAtOnce = 64;
/** An engine starts with what has come until then, milliseconds; the rest comes while it runs. */
const longestWaitMs = 1000;

export interface ExchangeOptions {
  readonly connection: Connection;
  readonly lease: Lease;
  readonly stock: Stock;
  /** What is put aside for the run's build. */
  readonly aside: PutAside;
  readonly engine: Engine;
  readonly folder: Pick<RunFolder, 'corpus' | 'seeds'>;
  /** From the end of one exchange to the next, milliseconds. */
  readonly intervalMs: number;
  readonly log: Logger;
  readonly clock?: Clock;
}

/**
 * Exchanges the corpus of one run with the shared corpus of its target. Inputs of other bots
 * come by way of the stock, and get their place in the run's corpus folder, where the engine
 * finds them; inputs that the engine wrote there are sent, and once the job's seeds. Happens
 * before the engine starts, for no longer than it may wait, goes on in intervals while it
 * runs, and ends after it. Fuzzing never waits for it, and its failures are not the run's.
 */
export class Exchange {
  /** Names of corpus files that the master has, and the SHA-256 of inputs that this bot sent. */
  readonly #shared = new Set<string>();
  readonly #task: PeriodicTask;
  readonly #stopped = new AbortController();
  /** Arrivals of the stock that have their place. */
  #laid = 0;
  #laying: Promise<void> | undefined;
  #first: Promise<void> = Promise.resolve();
  #hasStarted = false;
  #folderTime: string | undefined;
  #isHeld = false;
  #areSeedsSent = false;
  readonly #full: FullCorpus;
  #brought = 0;
  #sent = 0;
  #stopListening = () => {};

  constructor(private readonly options: ExchangeOptions) {
    const { clock = systemClock, log, intervalMs, stock } = options;
    this.#full = new FullCorpus(clock, () => stock.revision);
    const work = () => this.#exchange();
    const name = 'an exchange of inputs';
    this.#task = new PeriodicTask({ clock, log, intervalMs, name, work });
  }

  /** Brings what comes soon; then goes on by itself. */
  async begin(signal: AbortSignal): Promise<void> {
    const { stock, clock = systemClock } = this.options;
    this.#stopListening = stock.onArrival(() => void this.#lay());
    this.#first = this.#begin();
    const enough = Promise.withResolvers<void>();
    const timer = clock.schedule(longestWaitMs, enough.resolve);
    const onAbort = () => enough.resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    await Promise.race([this.#first, enough.promise]);
    signal.removeEventListener('abort', onAbort);
    timer.cancel();
    this.#hasStarted = true;
    this.#task.start();
  }

  /** The shared corpus takes no more inputs, as the master answered last. */
  get isCorpusFull(): boolean {
    return this.#full.isKnown;
  }

  /** Resolves when the seeds have been sent, as far as they could be. */
  get seedsSent(): Promise<void> {
    return this.#first;
  }

  async #begin(): Promise<void> {
    const { stock, aside } = this.options;
    const { signal } = this.#stopped;
    try {
      await aside.refresh(signal).catch((error) => this.#note(error));
      await this.#lay();
      await stock.refresh(signal);
      await this.#lay();
      await this.#pushSeeds(signal);
    } catch (error) {
      this.#note(error);
    }
  }

  /**
   * Sends what has not been sent, for as long as the master is away, as it is then
   * for the run's result too. After it nothing goes on.
   */
  async end(signal: AbortSignal): Promise<void> {
    const { clock = systemClock, log, aside } = this.options;
    this.#stopped.abort(new Error('the run has ended'));
    this.#stopListening();
    await this.#task.stop();
    await this.#first;
    await this.#laying;
    let refusals = 0;
    const isRetryable = (error: unknown) =>
      isAway(error) || (!isFinal(error) && ++refusals < mostRefusals);
    const options = { operation: 'push_corpus', isRetryable, clock };
    const last = async () => {
      this.#folderTime = undefined;
      await this.#push(signal);
      await aside.send(signal);
    };
    await untilAnswered(signal, last, options).catch((error) => {
      log.warn({ why: messageOf(error) }, 'last inputs not shared');
    });
    log.info({ sent: this.#sent, brought: this.#brought }, 'corpus exchanged');
  }

  async #exchange(): Promise<void> {
    const { stock, aside } = this.options;
    const { signal } = this.#stopped;
    try {
      if (!this.#full.isWaiting) {
        if (!this.#areSeedsSent) await this.#pushSeeds(signal);
        await this.#push(signal);
      }
      await aside.send(signal);
      const known = stock.arrivals.length;
      await stock.refresh(signal);
      if (stock.arrivals.length > known) await aside.refresh(signal);
      await this.#lay();
    } catch (error) {
      if (!signal.aborted) this.#note(error);
    }
  }

  #note(error: unknown): void {
    this.options.log.debug({ why: messageOf(error) }, 'corpus exchange failed');
  }

  async #push(signal: AbortSignal): Promise<void> {
    const { corpus } = this.options.folder;
    // Nothing was written or removed since the last look: there is no need to list the folder.
    const time = await changeTime(corpus);
    if (time !== undefined && time === this.#folderTime) return;
    const names = (await readdir(corpus)).filter((name) => !this.#shared.has(name));
    let isWhole = true;
    const read = async (name: string) => {
      const input = await this.#read(name);
      isWhole &&= input !== undefined;
      return input;
    };
    await this.#pushAll(names, read, signal);
    this.#folderTime = isWhole && !this.#full.isWaiting ? time : undefined;
  }

  /** Not those that are longer than an input may be, and not those that the corpus has. */
  async #pushSeeds(signal: AbortSignal): Promise<void> {
    if (this.#full.isWaiting) return;
    const { seeds } = this.options.folder;
    const paths = await filesBelow(seeds);
    const { stock } = this.options;
    const read = async (path: string) => {
      const content = await contentOf(path);
      if (!content) return undefined;
      const input = { ...corpusInput(content), origin: CorpusOrigin.SEEDS };
      return stock.has(input.sha256) || this.#shared.has(input.sha256) ? undefined : input;
    };
    await this.#pushAll(paths, read, signal);
    this.#areSeedsSent = !this.#full.isWaiting;
  }

  async #pushAll(
    names: string[],
    read: (name: string) => Promise<CorpusInput | undefined>,
    signal: AbortSignal,
  ): Promise<void> {
    const { connection, lease, stock, folder } = this.options;
    while (names.length > 0) {
      const batch = await nextOf(names, read);
      if (batch.size === 0) return;
      const pushed = pushCorpus(connection, lease, batch.values(), { signal });
      const added = await pushed.then(({ added }) => added).catch((error) => this.#noteFull(error));
      if (added === undefined) return;
      this.#full.noteSuccess();
      for (const [name, { sha256, bytes }] of batch) {
        this.#shared.add(name).add(sha256);
        await stock.adopt(sha256, resolve(folder.corpus, name), bytes.length);
      }
      this.#sent += added;
    }
  }

  /**
   * Fuzzing goes on beside a full corpus, and so does what comes from other bots.
   *
   * @throws the error if it is another
   */
  #noteFull(error: unknown): undefined {
    const wasKnown = this.#full.isKnown;
    if (!this.#full.noteFailure(error)) throw error;
    if (!wasKnown) this.options.log.warn({ why: messageOf(error) }, 'corpus full');
  }

  /** @returns undefined for what the engine has removed since, is still writing, or has not written */
  async #read(name: string): Promise<CorpusInput | undefined> {
    const { engine, folder } = this.options;
    const content = await contentOf(join(folder.corpus, name));
    return content && engine.isInput(name, content) ? corpusInput(content) : undefined;
  }

  /** Puts nothing into the corpus folder while `work` runs. */
  async whileStill(work: () => Promise<void>): Promise<void> {
    this.#isHeld = true;
    await this.#laying;
    try {
      await work();
    } finally {
      this.#isHeld = false;
      void this.#lay();
    }
  }

  /** Gives what has arrived its place; callers at the same time share the work. */
  #lay(): Promise<void> {
    this.#laying ??= this.#layAll()
      .catch((error) => this.#note(error))
      .finally(() => {
        this.#laying = undefined;
      });
    return this.#laying;
  }

  async #layAll(): Promise<void> {
    const { stock } = this.options;
    const isOver = () => this.#isHeld || this.#stopped.signal.aborted;
    while (this.#laid < stock.arrivals.length && !isOver()) {
      const next = stock.arrivals.slice(this.#laid, this.#laid + laidAtOnce);
      await Promise.all(next.map((sha256) => this.#layOne(sha256)));
      this.#laid += next.length;
    }
  }

  async #layOne(sha256: string): Promise<void> {
    const { stock, aside, folder } = this.options;
    if (this.#shared.has(sha256) || aside.has(sha256)) return;
    const path = join(folder.corpus, sha256);
    this.#shared.add(sha256);
    if (!(await stock.place(sha256, path))) return;
    this.#brought += 1;
    if (!this.#hasStarted) return;
    // An engine that runs passes over what looks old.
    const soon = Date.now() / 1000 + 1;
    await utimes(path, soon, soon).catch((error) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
  }
}

/** Takes names off the list and reads their files, as many as go into one call. */
async function nextOf(
  names: string[],
  read: (name: string) => Promise<CorpusInput | undefined>,
): Promise<Map<string, CorpusInput>> {
  const batch = new Map<string, CorpusInput>();
  for (let bytes = 0; batch.size < largestPush.inputs && bytes < largestPush.bytes; ) {
    const name = names.pop();
    if (name === undefined) break;
    const input = await read(name);
    if (!input) continue;
    batch.set(name, input);
    bytes += input.bytes.length;
  }
  return batch;
}

/** @returns undefined for what is gone, and for what is longer than an input may be */
async function contentOf(path: string): Promise<Buffer | undefined> {
  try {
    const content = await readPlainFile(path);
    return content && content.length <= largestInputBytes ? content : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * When a name was last added to a folder, or left it; undefined while that is so short a time
 * ago that another change could have the same time.
 */
async function changeTime(folder: string): Promise<string | undefined> {
  const { mtimeNs, mtimeMs } = await stat(folder, { bigint: true });
  return Date.now() - Number(mtimeMs) > 1000 ? String(mtimeNs) : undefined;
}

/** Answers that the same call would get again. */
const final = new Set([
  Code.INVALID_ARGUMENT,
  Code.NOT_FOUND,
  Code.FAILED_PRECONDITION,
  Code.UNIMPLEMENTED,
]);

const isFinal = (error: unknown) => final.has(failureOf(error)?.code ?? Code.OK);
