import { Worker } from 'node:worker_threads';
import { UserError } from '../core/errors.js';
import type { ConnectionOptions } from './connection.js';
import type { Call, Outcome } from './group-commit.js';
import type { FromThread, ToThread } from './worker.js';

/** A database thread, seen from the main thread. Runs one group of calls at a time. */
export class DatabaseThread {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #waiting: PromiseWithResolvers<readonly Outcome[]> | undefined;
  #serving = false;

  private constructor(options: ConnectionOptions, name: string) {
    this.#worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: options,
      name,
    });
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
  }

  /**
   * Starts the thread and opens its connection.
   *
   * @param onDeath called when the thread ends without being asked to
   * @throws UserError when the database cannot be opened
   */
  static async start(
    options: ConnectionOptions,
    name: string,
    onDeath: (error: Error) => void,
  ): Promise<DatabaseThread> {
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
      if (message.type === 'done') return thread.#settle(message.outcomes);
      if (message.type === 'ready') return opened.resolve();
      opened.reject(new UserError(message.message, message.exitCode));
    });
    try {
      await opened.promise;
      thread.#serving = true;
    } catch (error) {
      await thread.#exited;
      throw error;
    }
    return thread;
  }

  /** Runs a group; its outcomes come in the order of its calls. */
  run(calls: readonly Call[]): Promise<readonly Outcome[]> {
    this.#waiting = Promise.withResolvers();
    this.#post({ type: 'run', calls });
    return this.#waiting.promise;
  }

  /** Ends after the group that is running, with the connection closed. */
  async close(): Promise<void> {
    this.#serving = false;
    this.#post({ type: 'close' });
    await this.#exited;
  }

  #post(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  #settle(outcomes: readonly Outcome[]): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(outcomes);
  }
}
