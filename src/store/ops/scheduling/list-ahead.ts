import { pageOperation } from '../../operation.js';
import { all, type Steps, statement } from '../../statement.js';

/** Jobs that stand before a waiting job in its queue. */
export interface Ahead {
  /** How many go first; no more than `limit` are counted. */
  readonly count: number;
  /** Ids of the first few. */
  readonly first: readonly string[];
}

interface ListAhead {
  id: string;
  queueId: number;
  priority: number;
  limit: number;
}

const waits = `state = 'pending' AND delayed = 0 AND queue_id = @queueId`;
const higher = statement<ListAhead, { id: string }>(`
  SELECT id FROM jobs WHERE ${waits} AND priority > @priority
  ORDER BY priority DESC, id LIMIT @limit`);
const older = statement<ListAhead, { id: string }>(`
  SELECT id FROM jobs WHERE ${waits} AND priority = @priority AND id < @id
  ORDER BY id LIMIT @limit`);

/** Reads the index of the claims, from its front. */
export const listAhead = pageOperation('list_ahead', function* (input: ListAhead): Steps<Ahead> {
  const before = yield* all(higher, input);
  const rest = yield* all(older, { ...input, limit: input.limit - before.length });
  const ahead = [...before, ...rest];
  return { count: ahead.length, first: ahead.slice(0, 5).map(({ id }) => id) };
});
