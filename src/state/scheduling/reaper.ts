import { type Clock, sleep } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import { backoffMs } from '../../core/retry.js';
import type { RetryPause } from '../../store/after-attempt.js';
import { listLeases } from '../../store/ops/leases/list-leases.js';
import { releaseLease } from '../../store/ops/leases/release-lease.js';
import type { LeaseRow, ReleaseOutcome } from '../../store/rows.js';
import type { Store } from '../../store/store.js';
import type { Leases, LiveLease } from '../leases/leases.js';
import { storedStatistics } from '../messages/records.js';
import type { Dispatch } from './dispatch.js';

const pageSize = 1000;
const backoff = { firstDelayMs: 100, maxDelayMs: 5000, multiplier: 2 };

export interface ReaperParts {
  readonly store: Pick<Store, 'run'>;
  readonly leases: Leases;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  readonly adoptEveryMs: number;
  readonly retryPause: RetryPause;
}

/**
 * Takes leases back that ended without a result, and brings those into memory
 * that only the store knows: all of them at the start; later, single ones whose
 * claim was committed after its caller had stopped waiting. So no lease on disk
 * is ever without somebody who looks after its end.
 */
export class Reaper {
  readonly #stopped = new AbortController();
  readonly #releasing = new Set<Promise<void>>();
  readonly #adopting: PeriodicTask;
  /** Leases that only the store knew of when it was last looked. */
  #strangers: ReadonlySet<string> = new Set();

  constructor(private readonly parts: ReaperParts) {
    const adopt = () => this.#adopt();
    this.#adopting = new PeriodicTask({
      clock: parts.clock,
      log: parts.log,
      intervalMs: parts.adoptEveryMs,
      name: 'looking after leases',
      work: adopt,
    });
  }

  start(): void {
    this.#adopting.start();
  }

  /**
   * Every lease on disk gets its full time, when the master starts: an offer too, as
   * its acknowledgement may have been on its way to disk.
   */
  async restore(): Promise<void> {
    for await (const row of this.#onDisk()) this.parts.leases.restore(row, row.ttl_ms);
  }

  /**
   * Those that memory does not know, and did not know the last time either: one
   * that is unknown just now may be on its way out, its end not on disk yet.
   */
  async #adopt(): Promise<void> {
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
      const page = { afterJobId, limit: pageSize };
      const rows = await this.parts.inBackground('list_leases', (ctx) =>
        this.parts.store.run(ctx, listLeases, page),
      );
      yield* rows;
      if (rows.length < pageSize) return;
      afterJobId = rows.at(-1)?.job_id ?? '';
    }
  }

  /**
   * The lease is over, from now on; its job is given back as soon as the store
   * takes it, however long that is locked.
   */
  release(lease: LiveLease, outcome: ReleaseOutcome, message: string): void {
    this.parts.leases.end(lease);
    this.parts.log.info(
      { job: lease.jobId, fence: lease.fence, bot: lease.botId, outcome },
      message,
    );
    const releasing = this.#releaseOnDisk(lease, outcome, message).finally(() =>
      this.#releasing.delete(releasing),
    );
    this.#releasing.add(releasing);
  }

  /** For Leases: its time is up. */
  expired(lease: LiveLease): void {
    if (lease.acknowledged) this.release(lease, 'lost', 'the bot was not heard of within the TTL');
    else this.release(lease, 'unanswered', 'the bot did not answer the offer in time');
  }

  /** What was not given back by now is found again by the next start. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#adopting.stop();
    await Promise.all(this.#releasing);
  }

  async #releaseOnDisk(lease: LiveLease, outcome: ReleaseOutcome, message: string): Promise<void> {
    const { jobId, fence } = lease;
    const statistics = lease.statistics ? storedStatistics(lease.statistics) : null;
    for (let attempt = 1; !this.#stopped.signal.aborted; attempt++) {
      try {
        const now = this.parts.clock.now();
        const moved = await this.parts.inBackground('release_lease', (ctx) =>
          this.parts.store.run(ctx, releaseLease, {
            jobId,
            fence,
            outcome,
            statistics,
            message,
            now,
            ...this.parts.retryPause,
          }),
        );
        if (moved?.wakes !== undefined) this.parts.dispatch.jobPending(moved.wakes);
        return;
      } catch (error) {
        this.parts.log.warn(
          { err: error, job: jobId, attempt },
          'a lease could not be given back yet',
        );
        const delayMs = backoffMs(backoff, attempt);
        await sleep(this.parts.clock, delayMs, this.#stopped.signal).catch(() => {});
      }
    }
  }
}
