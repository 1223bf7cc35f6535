import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import type { Operation } from '../../store/operation.js';
import { pruneEvents } from '../../store/ops/events/prune-events.js';
import { firstJob, type JobCursor, pruneJobs } from '../../store/ops/jobs/prune-jobs.js';
import { pruneSamples } from '../../store/ops/upkeep/prune-samples.js';
import type { Store } from '../../store/store.js';

/** Rows in one write: a few milliseconds, so that other writes do not wait long. */
const sliceSize = 200;

/** Ages in milliseconds after which records are deleted. */
interface Ages {
  readonly jobs: number;
  readonly events: number;
  readonly samples: number;
  readonly sweep_interval: number;
}

export interface RetentionParts {
  readonly store: Pick<Store, 'run'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  readonly ages: Ages;
}

/** Deletes old records, slice by slice, at the lowest urgency. */
export class Retention {
  readonly #task: PeriodicTask;
  readonly #stopped = new AbortController();

  constructor(private readonly parts: RetentionParts) {
    const work = () => this.sweep();
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
    const samples = await this.#prune(pruneSamples, now - this.parts.ages.samples);
    const events = await this.#prune(pruneEvents, now - this.parts.ages.events);
    const jobs = await this.#pruneJobs(now);
    if (samples + events + jobs > 0) {
      this.parts.log.info({ jobs, events, samples }, 'old records deleted');
    }
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
