import type { Clock } from '../../core/clock.js';
import type { InBackground, RequestContext } from '../../core/context.js';
import { messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import {
  type DueCoverage,
  dueCoverage,
  postponeCoverage,
} from '../../store/ops/coverage/coverage-jobs.js';
import type { CoverageOf } from '../../store/ops/coverage/coverage-of.js';
import { hasEndedCoverage, sweepCoverage } from '../../store/ops/coverage/sweep-coverage.js';
import type { Store } from '../../store/store.js';
import type { CoverageMeasures } from './measure.js';

/** Between two looks, milliseconds: nobody waits for it to the second. */
const intervalMs = 2000;
/** Reports begun in one look. */
const reportsAtOnce = 20;
/** Rows deleted in one write: each has up to 350 KB. */
const rowsAtOnce = 20;
/** Until one is looked at again that has nothing new, or could not be begun, milliseconds. */
const againAfterMs = 600_000;

export interface CoverageUpkeepParts {
  readonly store: Pick<Store, 'run'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  readonly measures: Pick<CoverageMeasures, 'make' | 'isUpToDate'>;
  /** Whether reports that are due are made, unless a campaign of the target wants otherwise. */
  readonly isMeasuring: boolean;
}

/** Begins the reports that are due, and deletes those that have ended, slice by slice. */
export class CoverageUpkeep {
  readonly #task: PeriodicTask;
  readonly #stopped = new AbortController();

  constructor(private readonly parts: CoverageUpkeepParts) {
    const { clock, log } = parts;
    const work = () => this.look();
    this.#task = new PeriodicTask({ clock, log, intervalMs, name: 'upkeep of coverage', work });
  }

  start(): void {
    this.#task.start();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#task.stop();
  }

  async look(): Promise<void> {
    const { store, clock, inBackground, isMeasuring } = this.parts;
    const page = { now: clock.now(), limit: reportsAtOnce };
    const due = await inBackground('due_coverage', (ctx) => store.run(ctx, dueCoverage, page));
    for (const { policy, ...of } of due) {
      const isWanted = policy === undefined ? isMeasuring : policy === 'on';
      if (!isWanted || !(await this.#begin(of))) await this.#postpone(of);
    }
    await this.#sweep();
  }

  /** @returns whether a job makes a report now */
  async #begin(of: Omit<DueCoverage, 'policy'>): Promise<boolean> {
    const { inBackground, measures, log } = this.parts;
    const begin = async (ctx: RequestContext) =>
      (await measures.isUpToDate(ctx, of)) ? undefined : measures.make(ctx, of);
    try {
      const made = await inBackground('make_coverage', begin);
      if (!made || made.underWay) return false;
      log.info({ ...of, jobId: made.jobId }, 'coverage report queued');
      return true;
    } catch (error) {
      log.debug({ ...of, why: messageOf(error) }, 'coverage report postponed');
      return false;
    }
  }

  async #postpone(of: CoverageOf): Promise<void> {
    const { store, clock, inBackground } = this.parts;
    const later = { ...of, dueAt: clock.now() + againAfterMs };
    await inBackground('postpone_coverage', (ctx) => store.run(ctx, postponeCoverage, later));
  }

  async #sweep(): Promise<void> {
    const { store, inBackground } = this.parts;
    const isMore = await inBackground('has_ended_coverage', (ctx) =>
      store.run(ctx, hasEndedCoverage, null),
    );
    while (isMore && !this.#stopped.signal.aborted) {
      const removed = await inBackground('sweep_coverage', (ctx) =>
        store.run(ctx, sweepCoverage, { limit: rowsAtOnce }),
      );
      if (removed === 0) return;
    }
  }
}
