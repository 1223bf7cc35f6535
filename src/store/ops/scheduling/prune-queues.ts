import { writeOperation } from '../../operation.js';
import { flag } from '../../sql.js';
import { all, run, type Steps, statement } from '../../statement.js';

/** A campaign makes jobs for its queues later, too. */
const isUsed = `EXISTS (SELECT 1 FROM jobs WHERE queue_id = queues.id)
  OR EXISTS (SELECT 1 FROM campaign_arms WHERE queue_id = queues.id)`;
// The newest queue stays: its id would be given to the next one, and an id means one queue.
const nextQueues = statement<{ after: number; limit: number }, { id: number; used: 0 | 1 }>(`
  SELECT id, ${flag(isUsed)} AS used
  FROM queues WHERE id > @after AND id < (SELECT max(id) FROM queues)
  ORDER BY id LIMIT @limit`);
const removeQueue = statement<{ id: number }>('DELETE FROM queues WHERE id = @id');

/**
 * Deletes the queues without jobs among the next `limit`.
 *
 * @returns how many, and where to go on; 0 at the end
 */
export const pruneQueues = writeOperation(
  'prune_queues',
  'upkeep',
  function* (input: { after: number; limit: number }): Steps<{ removed: number; next: number }> {
    const queues = yield* all(nextQueues, input);
    let removed = 0;
    for (const { id, used } of queues) if (used === 0) removed += yield* run(removeQueue, { id });
    const last = queues.length === input.limit ? queues.at(-1) : undefined;
    return { removed, next: last?.id ?? 0 };
  },
);
