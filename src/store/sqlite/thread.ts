import { Worker } from 'node:worker_threads';
import { UserError } from '../../core/errors.js';
import type { Call, Settled } from '../call.js';
import type { LaneThread } from '../lane.js';
import type { Checkpointed, CheckpointMode } from './checkpoint.js';
import type { ConnectionOptions } from './connection.js';
import { fromWire } from './faults.js';
import type { Outcome } from './group-commit.js';
import type { FromThread, ToThread } from './worker.js';

const settledOf = (outcome: Outcome): Settled<unknown> =>
  outcome.ok ? outcome : { ok: false, error: fromWire(outcome.error) };

type Reply<Type extends FromThread['type']> = Extract<FromThread, { type: Type }>;

/** A connection to the database, which runs one request at a time. */
export interface Connection extends LaneThread {
  checkpoint(mode: CheckpointMode): Promise<Checkpointed & { readonly durationMs: number }>;
}

/**
 * Opens a connection.
 *
 * @param onDeath called when it ends without `close`
 * @throws UserError when the database cannot be opened
 */
export type Connect = (
  options: ConnectionOptions,
  name: string,
  onDeath: (error: Error) => void,
) => Promise<Connection>;

/**
 * Of a thread's heap, the part for what is new; V8 lets it grow to 48 MiB by itself. Rows live as
 * long as one call, so that more is memory alone.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 12 };

/** A database thread, seen from the main thread. */
export class DatabaseThread implements Connection {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #waiting: PromiseWithResolvers<FromThread> | undefined;
  #serving = false;

  private constructor(options: ConnectionOptions, name: string) {
    this.#worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: options,
      resourceLimits,
      name,
    });
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
  }

  /** Starts the thread and opens its connection. */
  static readonly start: Connect = async (options, name, onDeath) => {
    const thread = new DatabaseThread(options, name);
    const opened = Promise.withResolvers<void>();
    const die = (error: Error) => {
      opened.reject(error);
      thread.#waiting?.reject(error);
      if (thread.#serving) onDeath(error);
      thread.#serving = false;
    };
    thread.#worker.on('error', (error) => die(error as Error));
    thread.#worker.on('exit', () => die(new Error(`the database thread "${name}" has ended`)));
    thread.#worker.on('message', (message: FromThread) => {
      if (message.type === 'ready') opened.resolve();
      else if (message.type !== 'refused') thread.#settle(message);
      else opened.reject(new UserError(message.message, message.exitCode));
    });
    try {
      await opened.promise;
      thread.#serving = true;
    } catch (error) {
      await thread.#exited;
      throw error;
    }
    return thread;
  };

  /** Runs a group; its outcomes come in the order of its calls. */
  async run(calls: readonly Call[]): Promise<{ outcomes: Settled<unknown>[]; durationMs: number }> {
    const { outcomes, durationMs } = await this.#ask<'done'>({ type: 'run', calls });
    return { outcomes: outcomes.map(settledOf), durationMs };
  }

  checkpoint(mode: CheckpointMode): Promise<Reply<'checkpointed'>> {
    return this.#ask({ type: 'checkpoint', mode });
  }

  /** Ends after the group that is running, with the connection closed. */
  async close(): Promise<void> {
    this.#serving = false;
    this.#worker.postMessage({ type: 'close' } satisfies ToThread);
    await this.#exited;
  }

  #ask<Type extends FromThread['type']>(message: ToThread): Promise<Reply<Type>> {
    this.#waiting = Promise.withResolvers();
    this.#worker.postMessage(message);
    return this.#waiting.promise as Promise<Reply<Type>>;
  }

  #settle(reply: FromThread): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(reply);
  }
}
