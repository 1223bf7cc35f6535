import type { MasterConfig } from '../../config/schema.js';
import type { Clock } from '../../core/clock.js';
import type { QueueRow } from '../../store/rows.js';
import type { Store } from '../../store/store.js';

/** What makes jobs for a target: merges of its corpus, reports of its coverage. */
export interface TargetJobsParts {
  readonly store: Pick<Store, 'run'>;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Hands jobs out. */
  readonly dispatch: { addQueue(queue: QueueRow): void; jobPending(queueId: number): void };
  readonly defaults: MasterConfig['jobs'];
  /** Longest a job may take, milliseconds. */
  readonly longestMs: number;
}

/** Hands out the job that was made, unless the store has found one `underWay` instead. */
export function handOut(
  { dispatch }: Pick<TargetJobsParts, 'dispatch'>,
  jobId: string,
  made: { readonly jobId: string } | { readonly queue: QueueRow },
): { jobId: string; underWay: boolean } {
  if ('jobId' in made) return { jobId: made.jobId, underWay: true };
  dispatch.addQueue(made.queue);
  dispatch.jobPending(made.queue.id);
  return { jobId, underWay: false };
}
