import { readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { status as Code } from '@grpc/grpc-js';
import type { Connection } from '../../client/connect.js';
import {
  type CorpusInput,
  corpusInput,
  largestInputBytes,
  pullCorpus,
  pushCorpus,
} from '../../client/corpus.js';
import { failureOf, isAway } from '../../client/failure.js';
import { untilAnswered } from '../../client/until-answered.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { codeOf, messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import type { Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { Engine } from '../engines/engine.js';
import type { RunFolder } from '../folders/run-folder.js';
import { readPlainFile } from '../sandbox/plain-file.js';
import { seedLimits } from './seeds.js';

/** Inputs and bytes sent in one call. */
const largestPush = { inputs: 256, bytes: 8 * 2 ** 20 } as const;
/** One call, milliseconds. */
const timeoutMs = 2 * 60_000;
/** Of the last inputs of a run: calls that a master answered, and refused. */
const mostRefusals = 3;

export interface ExchangeOptions {
  readonly connection: Connection;
  readonly lease: Lease;
  readonly targetName: string;
  readonly engine: Engine;
  readonly folder: Pick<RunFolder, 'corpus' | 'temporary'>;
  /** From the end of one exchange to the next, milliseconds. */
  readonly intervalMs: number;
  readonly log: Logger;
  readonly clock?: Clock;
}

/**
 * Exchanges the corpus of one run with the shared corpus of its target. Inputs of other bots
 * are written to the run's corpus folder, where the engine finds them; inputs that the engine
 * wrote there are sent. Happens once before the engine starts, in intervals while it runs,
 * and once after it. Fuzzing never waits for it, and its failures are not the run's.
 */
export class Exchange {
  /** Names of corpus files that the master has, and the SHA-256 of inputs that this bot sent. */
  readonly #shared = new Set<string>();
  readonly #task: PeriodicTask;
  readonly #stopped = new AbortController();
  #cursor = 0;
  #broughtBytes = 0;
  #brought = 0;
  #sent = 0;

  constructor(private readonly options: ExchangeOptions) {
    const { clock = systemClock, log, intervalMs } = options;
    const step = () => this.#exchange(this.#stopped.signal);
    this.#task = new PeriodicTask({
      clock,
      log,
      intervalMs,
      name: 'an exchange of inputs',
      work: step,
    });
  }

  /** Brings what is there already; then goes on by itself. */
  async begin(signal: AbortSignal): Promise<void> {
    await this.#pull(signal).catch((error) => this.#note(error));
    this.#task.start();
  }

  /**
   * Sends what has not been sent, for as long as the master is away, as it is then
   * for the run's result too. After it nothing goes on.
   */
  async end(signal: AbortSignal): Promise<void> {
    this.#stopped.abort();
    await this.#task.stop();
    const { clock = systemClock, log } = this.options;
    let refusals = 0;
    const isRetryable = (error: unknown) =>
      isAway(error) || (!isFinal(error) && ++refusals < mostRefusals);
    const options = { operation: 'push_corpus', isRetryable, clock };
    await untilAnswered(signal, () => this.#push(signal), options).catch((error) => {
      log.warn({ why: messageOf(error) }, 'last inputs not shared');
    });
    log.info({ sent: this.#sent, brought: this.#brought }, 'corpus exchanged');
  }

  async #exchange(signal: AbortSignal): Promise<void> {
    try {
      await this.#push(signal);
      await this.#pull(signal);
    } catch (error) {
      if (!signal.aborted) this.#note(error);
    }
  }

  #note(error: unknown): void {
    this.options.log.debug({ why: messageOf(error) }, 'corpus exchange failed');
  }

  async #push(signal: AbortSignal): Promise<void> {
    const { connection, lease, folder } = this.options;
    const names = (await readdir(folder.corpus)).filter((name) => !this.#shared.has(name));
    while (names.length > 0) {
      const batch = await this.#nextOf(names);
      if (batch.size === 0) return;
      const { added } = await pushCorpus(connection, lease, batch.values(), { signal, timeoutMs });
      for (const [name, { sha256 }] of batch) this.#shared.add(name).add(sha256);
      this.#sent += added;
    }
  }

  /** Takes names off the list and reads their files, as many as go into one call. */
  async #nextOf(names: string[]): Promise<Map<string, CorpusInput>> {
    const batch = new Map<string, CorpusInput>();
    for (let bytes = 0; batch.size < largestPush.inputs && bytes < largestPush.bytes; ) {
      const name = names.pop();
      if (name === undefined) break;
      const content = await this.#read(name);
      if (!content) continue;
      batch.set(name, corpusInput(content));
      bytes += content.length;
    }
    return batch;
  }

  /** @returns undefined for what the engine has removed since, is still writing, or has not written */
  async #read(name: string): Promise<Buffer | undefined> {
    const { engine, folder } = this.options;
    try {
      const content = await readPlainFile(join(folder.corpus, name));
      return content && content.length <= largestInputBytes && engine.isInput(name, content)
        ? content
        : undefined;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #pull(signal: AbortSignal): Promise<void> {
    if (this.#isFull) return;
    const { connection, targetName } = this.options;
    const inputs = pullCorpus(connection, targetName, this.#cursor, { signal, timeoutMs });
    for await (const { sha256, bytes, cursor } of inputs) {
      if (!this.#shared.has(sha256)) {
        await this.#lay(sha256, bytes);
        this.#shared.add(sha256);
        this.#brought += 1;
        this.#broughtBytes += bytes.length;
      }
      // Not before it is there: what could not be written is brought again.
      this.#cursor = cursor;
      if (this.#isFull) return;
    }
  }

  get #isFull(): boolean {
    return this.#brought >= seedLimits.files || this.#broughtBytes >= seedLimits.totalBytes;
  }

  /** Whole at once, as the engine reads the folder at any time; it passes over what looks old. */
  async #lay(name: string, bytes: Buffer): Promise<void> {
    const { folder } = this.options;
    const partial = join(folder.temporary, name);
    // A target may have put a link there, which would lead the bot to another file.
    await rm(partial, { force: true });
    await writeFile(partial, bytes, { flag: 'wx' });
    const soon = Date.now() / 1000 + 1;
    await utimes(partial, soon, soon);
    await rename(partial, join(folder.corpus, name));
  }
}

/** Answers that the same call would get again. */
const final = new Set([
  Code.INVALID_ARGUMENT,
  Code.NOT_FOUND,
  Code.FAILED_PRECONDITION,
  Code.UNIMPLEMENTED,
]);

const isFinal = (error: unknown) => final.has(failureOf(error)?.code ?? Code.OK);
