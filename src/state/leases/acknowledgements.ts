import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import { StaleLeaseError } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { atEndOfTurn } from '../../core/turn-batch.js';
import { acknowledgeLease } from '../../store/ops/leases/acknowledge-lease.js';
import type { Settled, Store } from '../../store/store.js';
import { runEach } from '../messages/run-each.js';
import type { LiveLease } from './leases.js';

/**
 * Leases that bots have taken, on their way to disk: those of one turn of the event
 * loop together. One that is over before its turn is, is told with its result.
 */
export class Acknowledgements {
  /** Those that the store is still to be told of, and when each was acknowledged, ms since 1970. */
  readonly #at = new Map<LiveLease, number>();

  constructor(
    private readonly store: Pick<Store, 'runEach'>,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly inBackground: InBackground,
  ) {}

  /** Says it once; if that fails, the next beat that names the lease says it again. */
  add(lease: LiveLease): void {
    if (lease.acknowledgedOnDisk) return;
    lease.acknowledgedOnDisk = true;
    if (this.#at.size === 0) atEndOfTurn(() => void this.#storeAll());
    this.#at.set(lease, this.clock.now());
  }

  /** What the store is still to be told, if it is: who takes that tells it. */
  take(lease: LiveLease): { botId: string; at: number } | undefined {
    const at = this.#at.get(lease);
    if (at === undefined) return undefined;
    this.#at.delete(lease);
    return { botId: lease.botId, at };
  }

  /** Whoever took it could not tell it. */
  failed(lease: LiveLease): void {
    lease.acknowledgedOnDisk = false;
  }

  async #storeAll(): Promise<void> {
    const untold = [...this.#at];
    if (untold.length === 0) return;
    this.#at.clear();
    const inputs = untold.map(([{ jobId, attempt, fence, botId }, now]) => ({
      jobId,
      attempt,
      fence,
      botId,
      now,
    }));
    const outcomes = await runEach(this.store, this.inBackground, acknowledgeLease, inputs);
    for (const [index, [lease]] of untold.entries()) {
      const outcome = outcomes[index] as Settled<void>;
      // One that has ended meanwhile has nothing to be told any more.
      if (outcome.ok || outcome.error instanceof StaleLeaseError) continue;
      this.failed(lease);
      const { jobId: job } = lease;
      this.log.warn({ err: outcome.error, job }, 'an acknowledgement is not stored yet');
    }
  }
}
