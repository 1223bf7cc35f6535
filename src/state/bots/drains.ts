import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import { messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { markDrained } from '../../store/ops/bots/mark-drained.js';
import type { Store } from '../../store/store.js';
import type { Leases } from '../leases/leases.js';
import type { Sessions } from './sessions.js';

export interface DrainsParts {
  readonly store: Pick<Store, 'run'>;
  readonly sessions: Sessions;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
}

/** Records the moment at which a draining bot has finished its last job. */
export class Drains {
  readonly #marking = new Set<Promise<void>>();

  constructor(private readonly parts: DrainsParts) {}

  /** For a bot without a stream (lost, or using AssignJob) only the store has its drain. */
  leaseEnded(botId: string): void {
    if (this.parts.leases.countOfBot(botId) > 0) return;
    if (this.parts.sessions.of(botId)?.isDraining === false) return;
    const marking = this.#mark(botId).finally(() => this.#marking.delete(marking));
    this.#marking.add(marking);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#marking);
  }

  async #mark(botId: string): Promise<void> {
    try {
      const input = { botId, now: this.parts.clock.now() };
      await this.parts.inBackground('mark_drained', (ctx) =>
        this.parts.store.run(ctx, markDrained, input),
      );
    } catch (error) {
      this.parts.log.warn({ bot: botId, why: messageOf(error) }, 'drained bot not recorded');
    }
  }
}
