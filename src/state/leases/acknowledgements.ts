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
 * Acknowledged leases on their way to disk. Those of one turn of the event loop are stored
 * together. A lease that ends within the turn is acknowledged in the write of its result.
 */
export class Acknowledgements {
  /** Pending acknowledgements, and the time of each, ms since 1970. */
  readonly #at = new Map<LiveLease, number>();

  constructor(
    private readonly store: Pick<Store, 'runEach'>,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly inBackground: InBackground,
  ) {}

  /** Queues a lease once. After a failure, the next beat that names the lease queues it again. */
  add(lease: LiveLease): void {
    if (lease.acknowledgedOnDisk) return;
    lease.acknowledgedOnDisk = true;
    if (this.#at.size === 0) atEndOfTurn(() => void this.#storeAll());
    this.#at.set(lease, this.clock.now());
  }

  /**
   * Removes and returns a pending acknowledgement, if there is one. The caller then stores
   * it, or calls `failed`.
   */
  take(lease: LiveLease): { botId: string; at: number } | undefined {
    const at = this.#at.get(lease);
    if (at === undefined) return undefined;
    this.#at.delete(lease);
    return { botId: lease.botId, at };
  }

  /** The acknowledgement was not stored; the next beat repeats it. */
  failed(lease: LiveLease): void {
    lease.acknowledgedOnDisk = false;
  }

  async #storeAll(): Promise<void> {
    const pending = [...this.#at];
    if (pending.length === 0) return;
    this.#at.clear();
    const inputs = pending.map(([{ jobId, attempt, fence, botId }, now]) => ({
      jobId,
      attempt,
      fence,
      botId,
      now,
    }));
    const outcomes = await runEach(this.store, this.inBackground, acknowledgeLease, inputs);
    for (const [index, [lease]] of pending.entries()) {
      const outcome = outcomes[index] as Settled<void>;
      // A lease that has ended meanwhile needs no acknowledgement.
      if (outcome.ok || outcome.error instanceof StaleLeaseError) continue;
      this.failed(lease);
      const { jobId: job } = lease;
      this.log.warn({ err: outcome.error, job }, 'acknowledgement not stored');
    }
  }
}
