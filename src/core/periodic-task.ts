import type { Clock, Timer } from './clock.js';
import type { Logger } from './log.js';

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

  constructor(
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly intervalMs: number,
    private readonly name: string,
    private readonly work: () => Promise<void>,
  ) {}

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
    this.#timer = this.clock.schedule(this.intervalMs, () => {
      this.#running = this.#once();
    });
  }

  async #once(): Promise<void> {
    try {
      await this.work();
    } catch (error) {
      this.log.warn({ err: error }, `${this.name} failed`);
    }
    this.#next();
  }
}
