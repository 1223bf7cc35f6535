import type { Clock } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import { PeriodicTask } from '../../core/periodic-task.js';
import { listQueues } from '../../store/ops/scheduling/list-queues.js';
import type { Store } from '../../store/store.js';
import type { Dispatch } from './dispatch.js';

const pageSize = 1000;

export interface OverlookedParts {
  readonly store: Pick<Store, 'run'>;
  readonly dispatch: Pick<Dispatch, 'recount'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  readonly everyMs: number;
}

/**
 * Finds jobs that wait in a queue that the dispatcher takes for empty: the write that made
 * them wait was committed after its caller had given up, so nobody announced them. Reads
 * queues with work only. A queue whose jobs are all delayed costs one claim that finds nothing.
 */
export class Overlooked {
  readonly #task: PeriodicTask;

  constructor(private readonly parts: OverlookedParts) {
    const { clock, log, everyMs: intervalMs } = parts;
    const work = () => this.look();
    this.#task = new PeriodicTask({ clock, log, intervalMs, name: 'look at queues', work });
  }

  start(): void {
    this.#task.start();
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  async look(): Promise<void> {
    const { store, dispatch, inBackground } = this.parts;
    for (let afterId = 0; ; ) {
      const page = { afterId, limit: pageSize };
      const rows = await inBackground('list_queues', (ctx) => store.run(ctx, listQueues, page));
      for (const row of rows) dispatch.recount(row);
      if (rows.length < pageSize) return;
      afterId = rows.at(-1)?.id ?? 0;
    }
  }
}
