import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import { messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import { inRound } from '../../store/cluster.js';
import type { CorpusOf } from '../../store/ops/corpus/corpus-of.js';
import { dueMerges, postponeMerge } from '../../store/ops/corpus/merge-jobs.js';
import { hasEndedCorpora, sweepCorpora } from '../../store/ops/corpus/sweep-corpora.js';
import type { Store } from '../../store/store.js';
import type { Merges } from './merges.js';

/** Between two looks, milliseconds: nobody waits for it to the second. */
const intervalMs = 2000;
/** Merges made in one look. */
const mergesAtOnce = 20;
/** Rows deleted in one write: a few milliseconds, so that other writes do not wait long. */
const rowsAtOnce = 200;
/** Until a merge that could not be made is tried again, milliseconds. */
const againAfterMs = 3_600_000;

export interface CorpusUpkeepParts {
  readonly store: Pick<Store, 'run' | 'cluster'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  readonly merges: Pick<Merges, 'make'>;
  /** Whether merges that are due are made, unless a campaign of the target wants otherwise. */
  readonly isMerging: boolean;
}

/** Makes the merges that are due, and deletes what replaced corpora left, slice by slice. */
export class CorpusUpkeep {
  readonly #task: PeriodicTask;
  readonly #stopped = new AbortController();

  constructor(private readonly parts: CorpusUpkeepParts) {
    const { clock, log } = parts;
    const work = () => inRound(parts.store, 'corpora', () => this.look());
    this.#task = new PeriodicTask({ clock, log, intervalMs, name: 'upkeep of corpora', work });
  }

  start(): void {
    this.#task.start();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#task.stop();
  }

  async look(): Promise<void> {
    const { store, clock, inBackground, isMerging } = this.parts;
    const page = { now: clock.now(), limit: mergesAtOnce };
    const due = await inBackground('due_merges', (ctx) => store.run(ctx, dueMerges, page));
    for (const { policy, ...of } of due) {
      const isWanted = policy === undefined ? isMerging : policy === 'on';
      if (isWanted) await this.#merge(of);
      else await this.#postpone(of);
    }
    await this.#sweep();
  }

  async #merge(of: CorpusOf): Promise<void> {
    const { inBackground, merges, log } = this.parts;
    try {
      const { jobId, underWay } = await inBackground('make_merge', (ctx) => merges.make(ctx, of));
      if (!underWay) {
        log.info({ ...of, jobId }, 'corpus merge queued');
        return;
      }
    } catch (error) {
      log.debug({ ...of, why: messageOf(error) }, 'corpus merge postponed');
    }
    await this.#postpone(of);
  }

  async #postpone(of: CorpusOf): Promise<void> {
    const { store, clock, inBackground } = this.parts;
    const later = { ...of, dueAt: clock.now() + againAfterMs };
    await inBackground('postpone_merge', (ctx) => store.run(ctx, postponeMerge, later));
  }

  async #sweep(): Promise<void> {
    const { store, inBackground } = this.parts;
    const isMore = await inBackground('has_ended_corpora', (ctx) =>
      store.run(ctx, hasEndedCorpora, null),
    );
    while (isMore && !this.#stopped.signal.aborted) {
      const removed = await inBackground('sweep_corpora', (ctx) =>
        store.run(ctx, sweepCorpora, { limit: rowsAtOnce }),
      );
      if (removed === 0) return;
    }
  }
}
