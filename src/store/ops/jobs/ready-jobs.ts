import { writeOperation } from '../../operation.js';
import { forUpdate } from '../../sql.js';
import { all, type Steps, statement } from '../../statement.js';

interface ReadyJobs {
  now: number;
  limit: number;
}

const release = statement<ReadyJobs, { queue_id: number }>(`
  UPDATE jobs SET delayed = 0 WHERE id IN (
    SELECT id FROM jobs WHERE delayed = 1 AND ready_at <= @now
    ORDER BY ready_at, id LIMIT @limit ${forUpdate('skip')})
  RETURNING queue_id`);

/**
 * Lets the first `limit` jobs whose `ready_at` has come be handed out.
 *
 * @returns the queues they are in
 */
export const readyJobs = writeOperation('ready_jobs', 'work', function* (input: ReadyJobs): Steps<
  number[]
> {
  const rows = yield* all(release, input);
  return [...new Set(rows.map(({ queue_id }) => queue_id))];
});
