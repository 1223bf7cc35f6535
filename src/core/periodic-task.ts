import type { Clock, Timer } from './clock.js';
import type { Logger } from './log.js';

/**
 * Does something every `intervalMs`, counted from the end of the time before.
 * What fails is logged and tried again at the next time. Stopping waits for what
 * is under way; start and stop are idempotent.
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
    private readonly what: string,
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
      this.log.warn({ err: error }, `${this.what} failed; the next time tries again`);
    }
    this.#next();
  }
}
