import { pageOperation } from '../../operation.js';

/** What stands before a waiting job in its queue. */
export interface Ahead {
  /** How many go first; no more than `limit` are counted. */
  readonly count: number;
  /** The first of them. */
  readonly first: readonly string[];
}

/** Read from the index that claims read, from its front. */
export const listAhead = pageOperation('list_ahead', (db) => {
  const where = `state = 'pending' AND delayed = 0 AND queue_id = @queueId`;
  const higher = db
    .prepare<[object], string>(
      `SELECT id FROM jobs WHERE ${where} AND priority > @priority
       ORDER BY priority DESC, id LIMIT @limit`,
    )
    .pluck();
  const older = db
    .prepare<[object], string>(
      `SELECT id FROM jobs WHERE ${where} AND priority = @priority AND id < @id
       ORDER BY id LIMIT @limit`,
    )
    .pluck();
  return (input: { id: string; queueId: number; priority: number; limit: number }): Ahead => {
    const before = higher.all(input);
    const rest = older.all({ ...input, limit: input.limit - before.length });
    const ahead = [...before, ...rest];
    return { count: ahead.length, first: ahead.slice(0, 5) };
  };
});
