import type { Clock, Timer } from './clock.js';
import type { Logger } from './log.js';

export interface PeriodicTaskParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly intervalMs: number;
  /** In the log, when a run fails. */
  readonly name: string;
  readonly work: () => Promise<void>;
}

/**
 * Runs work every `intervalMs`, counted from the end of the previous run. A failed run is
 * logged, and the next one follows as usual. Stopping waits for a run under way; start and
 * stop are idempotent.
 */
export class PeriodicTask {
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #started = false;
  #stopped = false;

  constructor(private readonly parts: PeriodicTaskParts) {}

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#next();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #next(): void {
    if (this.#stopped) return;
    this.#timer = this.parts.clock.schedule(this.parts.intervalMs, () => {
      this.#running = this.#once();
    });
  }

  async #once(): Promise<void> {
    try {
      await this.parts.work();
    } catch (error) {
      this.parts.log.warn({ err: error }, `${this.parts.name} failed`);
    }
    this.#next();
  }
}
