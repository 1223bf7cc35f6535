import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { databaseOf, testServer } from '../postgres/databases.js';
import type { Ask, Told } from './store-process.js';

const script = fileURLToPath(new URL('./store-process.js', import.meta.url));

/** A real store in a process of its own. */
export class StoreClient {
  #child: ChildProcess | undefined;

  constructor(private readonly directory: string) {}

  async open(): Promise<void> {
    const url = testServer === undefined ? '' : await databaseOf(this.directory);
    this.#child = fork(script, [this.directory, url], { execArgv: [], serialization: 'advanced' });
    await this.#told();
  }

  /** Runs an operation to its answer. */
  async run(operation: string, input: unknown): Promise<Exclude<Told, { open: true }>> {
    this.begin(operation, input);
    return (await this.#told()) as Exclude<Told, { open: true }>;
  }

  /** Begins an operation whose answer nobody waits for. */
  begin(operation: string, input: unknown): void {
    this.#child?.send({ operation, input } satisfies Ask);
  }

  async close(): Promise<void> {
    this.#child?.send('close' satisfies Ask);
    await this.#exited();
  }

  /** As a power switch does it, as far as a process can tell. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#exited();
  }

  async #told(): Promise<Told> {
    const child = this.#child as ChildProcess;
    const ended = new AbortController();
    try {
      return await Promise.race([
        once(child, 'message', ended).then(([told]) => told as Told),
        once(child, 'exit', ended).then(([code]) => {
          throw new Error(`the store's process ended with ${code}`);
        }),
      ]);
    } finally {
      ended.abort();
    }
  }

  async #exited(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}
