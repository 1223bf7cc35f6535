import { type Clock, sleep } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import { backoffMs } from '../../core/retry.js';
import { LeasePhase } from '../../gen/pandafuzz/v1/heartbeat.js';
import type { RetryPause } from '../../store/after-attempt.js';
import { listLeases } from '../../store/ops/leases/list-leases.js';
import { type ReleaseLease, releaseLease } from '../../store/ops/leases/release-lease.js';
import { takeOver } from '../../store/ops/leases/take-over.js';
import type { LeaseRow, ReleaseOutcome } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import type { Leases, LiveLease } from '../leases/leases.js';
import { storedStatistics } from '../messages/records.js';
import type { Dispatch } from './dispatch.js';

const pageSize = 1000;
const backoff = { firstDelayMs: 100, maxDelayMs: 5000, multiplier: 2 };

/** Of a lease that ends by trouble of its bot. */
export interface Blamed extends Pick<ReleaseLease, 'trouble' | 'cause' | 'isProven' | 'avoid'> {
  /** Called when it is on disk, or the master stops. */
  readonly onDone?: () => void;
}

type ReleasedBy = Pick<ReleaseLease, 'outcome' | 'message'> & Omit<Blamed, 'onDone'>;

export interface ReaperParts {
  readonly store: Pick<Store, 'run' | 'cluster'>;
  readonly leases: Leases;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  /** From 0 to 1, for pauses between tries. */
  readonly random: () => number;
  readonly adoptEveryMs: number;
  readonly retryPause: RetryPause;
}

/**
 * Takes back leases that ended without a result. Adopts leases that are on disk only: all
 * of them at the start; later, single ones whose claim was committed after its caller had
 * timed out. So the end of every lease on disk is watched; of a cluster, each master watches
 * its own, and those of masters that are gone.
 */
export class Reaper {
  readonly #stopped = new AbortController();
  readonly #releasing = new Set<Promise<void>>();
  /** Leases whose end is on its way to disk. */
  readonly #ending = new Set<string>();
  readonly #adopting: PeriodicTask;
  /** Leases that were on disk only at the last look. */
  #strangers: ReadonlySet<string> = new Set();

  constructor(private readonly parts: ReaperParts) {
    const adopt = () => this.#adopt();
    this.#adopting = new PeriodicTask({
      clock: parts.clock,
      log: parts.log,
      intervalMs: parts.adoptEveryMs,
      name: 'lease adoption',
      work: adopt,
    });
  }

  start(): void {
    this.#adopting.start();
  }

  /**
   * Loads every lease on disk with its full TTL, at the start of the master. Offers too:
   * their acknowledgement may have been on its way to disk.
   */
  async restore(): Promise<void> {
    if (this.parts.store.cluster) return this.takeOver();
    for await (const row of this.#onDisk()) this.parts.leases.restore(row, row.ttl_ms);
  }

  /** Takes the leases of masters that are gone, each with its full TTL from now. */
  async takeOver(): Promise<void> {
    const { store, inBackground, leases, log } = this.parts;
    const { cluster } = store;
    if (!cluster) return;
    const rows = await inBackground('take_over', (ctx) =>
      store.run(ctx, takeOver, { master: cluster.id }),
    );
    for (const row of rows) if (!this.isEnding(row)) leases.restore(row, row.ttl_ms);
    if (rows.length > 0) log.info({ leases: rows.length }, 'leases of a master that is gone taken');
  }

  /** The end of this lease is on its way to disk: nobody is to be given it again. */
  isEnding({ job_id: jobId, fence }: Pick<LeaseRow, 'job_id' | 'fence'>): boolean {
    return this.#ending.has(`${jobId}/${fence}`);
  }

  /**
   * Adopts leases that were unknown at the last look as well: the end of a lease that is
   * unknown for the first time may be on its way to disk.
   */
  async #adopt(): Promise<void> {
    await this.takeOver();
    const strangers = new Set<string>();
    for await (const row of this.#onDisk()) {
      if (this.parts.leases.ofJob(row.job_id)?.fence === row.fence) continue;
      const key = `${row.job_id}/${row.fence}`;
      if (this.#strangers.has(key)) this.parts.leases.restore(row);
      else strangers.add(key);
    }
    this.#strangers = strangers;
  }

  async *#onDisk(): AsyncGenerator<LeaseRow> {
    for (let afterJobId = ''; ; ) {
      const page = { afterJobId, limit: pageSize, master: this.parts.store.cluster?.id };
      const rows = await this.parts.inBackground('list_leases', (ctx) =>
        this.parts.store.run(ctx, listLeases, page),
      );
      yield* rows;
      if (rows.length < pageSize) return;
      afterJobId = rows.at(-1)?.job_id ?? '';
    }
  }

  /**
   * Ends a lease in memory at once, and gives its job back in the store, with retries for
   * as long as the database is locked.
   */
  release(lease: LiveLease, outcome: ReleaseOutcome, message: string, blame: Blamed = {}): void {
    this.parts.leases.end(lease);
    const { jobId: job, fence, botId: bot } = lease;
    this.parts.log.info({ job, fence, bot, outcome, why: message }, 'lease released');
    const { onDone, ...blamed } = blame;
    const key = `${job}/${fence}`;
    this.#ending.add(key);
    const releasing = this.#releaseOnDisk(lease, { outcome, message, ...blamed }).finally(() => {
      this.#releasing.delete(releasing);
      this.#ending.delete(key);
      onDone?.();
    });
    this.#releasing.add(releasing);
  }

  /** Takes back an expired lease. */
  expired(lease: LiveLease): void {
    if (lease.acknowledged)
      this.release(lease, 'lost', 'no beat of the bot renewed it within the TTL');
    else this.release(lease, 'unanswered', 'the bot did not answer the offer in time');
  }

  /** The next start finds leases that are not given back by now. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#adopting.stop();
    await Promise.all(this.#releasing);
  }

  async #releaseOnDisk(lease: LiveLease, end: ReleasedBy): Promise<void> {
    const { jobId, fence } = lease;
    const statistics = lease.statistics ? storedStatistics(lease.statistics) : null;
    const statisticsAt = lease.statistics ? lease.reportedAt : null;
    // As of now: if this master is declared dead meanwhile, the lease is another's.
    const master = this.parts.store.cluster?.id;
    for (let attempt = 1; !this.#stopped.signal.aborted; attempt++) {
      try {
        const now = this.parts.clock.now();
        const moved = await this.parts.inBackground('release_lease', (ctx) =>
          this.parts.store.run(ctx, releaseLease, {
            jobId,
            fence,
            master,
            ...end,
            statistics,
            statisticsAt,
            whilePreparing: lease.phase === LeasePhase.PREPARING,
            now,
            ...this.parts.retryPause,
          }),
        );
        // A lease that has ended already: an earlier try, or a result, was committed unheard.
        const wakes = moved ? moved.wakes : lease.queueId;
        if (wakes !== undefined) this.parts.dispatch.jobPending(wakes);
        return;
      } catch (error) {
        this.parts.log.warn({ err: error, job: jobId, attempt }, 'lease release failed');
        const delayMs = backoffMs(backoff, attempt, this.parts.random);
        await sleep(this.parts.clock, delayMs, this.#stopped.signal).catch(() => {});
      }
    }
  }
}
