import { pageOperation } from '../../operation.js';
import type { QueueRow } from '../../rows.js';

/** The queues after `afterId`, by id. */
export const listQueues = pageOperation('list_queues', (db) => {
  const select = db.prepare<[number, number], QueueRow>(
    'SELECT * FROM queues WHERE id > ? ORDER BY id LIMIT ?',
  );
  return (page: { afterId: number; limit: number }): QueueRow[] =>
    select.all(page.afterId, page.limit);
});
