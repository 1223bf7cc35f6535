import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import { inRound } from '../../store/cluster.js';
import type { Operation } from '../../store/operation.js';
import { forgetUnseen, pruneForgotten, unseenBots } from '../../store/ops/bots/prune-bots.js';
import { pruneArchived } from '../../store/ops/campaigns/prune-archived.js';
import { pruneCampaigns } from '../../store/ops/campaigns/prune-campaigns.js';
import { pruneEvents } from '../../store/ops/events/prune-events.js';
import { firstJob, type JobCursor, pruneJobs } from '../../store/ops/jobs/prune-jobs.js';
import { pruneQueues } from '../../store/ops/scheduling/prune-queues.js';
import { pruneSeries } from '../../store/ops/series/prune-series.js';
import type { Store } from '../../store/store.js';
import type { Sessions } from '../bots/sessions.js';
import { keptMs } from '../series/kept.js';

/** Rows in one write: a few milliseconds, so that other writes do not wait long. */
const sliceSize = 200;

/** Ages in milliseconds after which records are deleted. */
interface Ages {
  readonly bots: number;
  readonly jobs: number;
  readonly events: number;
  readonly samples: number;
  readonly sweep_interval: number;
}

export interface RetentionParts {
  readonly store: Pick<Store, 'run' | 'cluster'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  readonly sessions: Sessions;
  readonly ages: Ages;
}

/** Deletes old records, slice by slice, at the lowest urgency. */
export class Retention {
  readonly #task: PeriodicTask;
  readonly #stopped = new AbortController();
  /** Where the last look at forgotten bots ended: each sweep looks at some of them. */
  #forgottenAfter = '';

  constructor(private readonly parts: RetentionParts) {
    const work = () => inRound(parts.store, 'retention', () => this.sweep());
    this.#task = new PeriodicTask({
      clock: parts.clock,
      log: parts.log,
      intervalMs: parts.ages.sweep_interval,
      name: 'retention sweep',
      work,
    });
  }

  start(): void {
    this.#task.start();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#task.stop();
  }

  /** Deletes everything that is too old now. */
  async sweep(): Promise<void> {
    const now = this.parts.clock.now();
    const samples = await this.#pruneSeries(now);
    const events = await this.#prune(pruneEvents, now - this.parts.ages.events);
    const jobs = await this.#pruneJobs(now);
    await this.#prune(pruneArchived, now - this.parts.ages.jobs);
    const bots = await this.#pruneBots(now);
    await this.#pruneUnused();
    if (samples + events + jobs + bots > 0) {
      this.parts.log.info({ jobs, bots, events, samples }, 'old records deleted');
    }
  }

  /**
   * Forgets bots that have not been seen for long, and deletes the rows of forgotten ones
   * that no job and no crash names any more: of one slice of them, however many there are.
   *
   * @returns how many were forgotten
   */
  async #pruneBots(now: number): Promise<number> {
    const olderThan = now - this.parts.ages.bots;
    let total = 0;
    for (let after = { lastSeenAt: 0, id: '' }; !this.#stopped.signal.aborted; ) {
      const slice = await this.#run(unseenBots, { olderThan, after, limit: sliceSize });
      // A bot with a stream is there, whatever the wall clock did.
      const ids = slice.flatMap(({ id }) => (this.parts.sessions.of(id) ? [] : [id]));
      if (ids.length > 0) total += await this.#run(forgetUnseen, { ids, olderThan, now });
      const last = slice.at(-1);
      if (!last || slice.length < sliceSize) break;
      after = { lastSeenAt: last.last_seen_at, id: last.id };
    }
    const looked = { after: this.#forgottenAfter, limit: sliceSize };
    this.#forgottenAfter = (await this.#run(pruneForgotten, looked)).next;
    return total;
  }

  /** Deletes queues and campaigns whose last job is deleted. */
  async #pruneUnused(): Promise<void> {
    const limit = sliceSize;
    let after = 0;
    do after = (await this.#run(pruneQueues, { after, limit })).next;
    while (after > 0 && !this.#stopped.signal.aborted);
    let key = '';
    do key = (await this.#run(pruneCampaigns, { after: key, limit })).next;
    while (key !== '' && !this.#stopped.signal.aborted);
  }

  async #prune(
    operation: Operation<{ olderThan: number; limit: number }, number>,
    olderThan: number,
  ): Promise<number> {
    for (let total = 0; ; ) {
      const removed = await this.#run(operation, { olderThan, limit: sliceSize });
      total += removed;
      if (removed < sliceSize || this.#stopped.signal.aborted) return total;
    }
  }

  /** Buckets of each length have an age of their own. */
  async #pruneSeries(now: number): Promise<number> {
    let total = 0;
    for (const [step, ageMs] of keptMs) {
      const olderThan = now - Math.min(ageMs, this.parts.ages.samples);
      for (let removed = sliceSize; removed === sliceSize && !this.#stopped.signal.aborted; ) {
        removed = await this.#run(pruneSeries, { stepS: step, olderThan, limit: sliceSize });
        total += removed;
      }
    }
    return total;
  }

  async #pruneJobs(now: number): Promise<number> {
    const olderThan = now - this.parts.ages.jobs;
    let total = 0;
    let after: JobCursor | undefined = firstJob;
    while (after && !this.#stopped.signal.aborted) {
      const slice: { removed: number; next: JobCursor | undefined } = await this.#run(pruneJobs, {
        after,
        olderThan,
        limit: sliceSize,
        now,
      });
      total += slice.removed;
      after = slice.next;
    }
    return total;
  }

  #run<Input, Output>(operation: Operation<Input, Output>, input: Input): Promise<Output> {
    return this.parts.inBackground(operation.name, (ctx) =>
      this.parts.store.run(ctx, operation, input),
    );
  }
}
