import { pageOperation } from '../../operation.js';

/** What the passing of time asks for now. */
export interface Due {
  /** Jobs whose time is over. */
  readonly overdue: readonly string[];
  /** Whether there are delayed jobs that may start. */
  readonly isReady: boolean;
}

/** The first `limit` jobs that a time of theirs has come for; only the front of an index is read. */
export const listDue = pageOperation('list_due', (db) => {
  const overdue = db
    .prepare<[number, number], string>(
      'SELECT id FROM jobs WHERE due_at <= ? ORDER BY due_at, id LIMIT ?',
    )
    .pluck();
  const ready = db.prepare<[number]>(
    'SELECT 1 FROM jobs WHERE delayed = 1 AND ready_at <= ? LIMIT 1',
  );
  return ({ now, limit }: { now: number; limit: number }): Due => ({
    overdue: overdue.all(now, limit),
    isReady: ready.get(now) !== undefined,
  });
});
