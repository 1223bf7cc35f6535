import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import { messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { markDrained } from '../../store/ops/bots/mark-drained.js';
import type { Store } from '../../store/store.js';
import type { Leases } from '../leases/leases.js';
import type { Sessions } from './sessions.js';

/** Records the moment at which a draining bot has finished its last job. */
export class Drains {
  readonly #marking = new Set<Promise<void>>();

  constructor(
    private readonly store: Pick<Store, 'run'>,
    private readonly sessions: Sessions,
    private readonly leases: Leases,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly inBackground: InBackground,
  ) {}

  /** For a bot without a stream (lost, or using AssignJob) only the store has its drain. */
  leaseEnded(botId: string): void {
    if (this.leases.countOfBot(botId) > 0) return;
    if (this.sessions.of(botId)?.isDraining === false) return;
    const marking = this.#mark(botId).finally(() => this.#marking.delete(marking));
    this.#marking.add(marking);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#marking);
  }

  async #mark(botId: string): Promise<void> {
    try {
      const input = { botId, now: this.clock.now() };
      await this.inBackground('mark_drained', (ctx) => this.store.run(ctx, markDrained, input));
    } catch (error) {
      this.log.warn({ bot: botId, why: messageOf(error) }, 'drained bot not recorded');
    }
  }
}
