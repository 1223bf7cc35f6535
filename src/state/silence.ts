import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/log.js';
import { Repeat } from '../core/repeat.js';
import type { Sessions } from './sessions.js';

/**
 * Ends the streams of bots that say nothing: of a machine that vanished, nobody else
 * tells. Looks once in a lease's time, and goes by the looks and not by a clock, so
 * that a master that stood still ends nobody's stream for that.
 */
export class Silence {
  readonly #repeat: Repeat;

  constructor(
    private readonly sessions: Sessions,
    clock: Clock,
    log: Logger,
    ttlMs: number,
  ) {
    const look = async () => {
      for (const session of this.sessions.all()) session.listenedTo();
    };
    this.#repeat = new Repeat(clock, log, ttlMs, 'listening to bots', look);
  }

  start(): void {
    this.#repeat.start();
  }

  stop(): Promise<void> {
    return this.#repeat.stop();
  }
}
