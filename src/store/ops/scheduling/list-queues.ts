import { pageOperation } from '../../operation.js';
import { type QueueRow, queueColumns } from '../../rows.js';
import { all, statement } from '../../statement.js';

interface Page {
  afterId: number;
  limit: number;
}

const select = statement<Page, QueueRow>(
  `SELECT ${queueColumns} FROM queues WHERE pending > 0 AND id > @afterId ORDER BY id LIMIT @limit`,
);

/** The queues after `afterId` in which jobs wait, by id. */
export const listQueues = pageOperation('list_queues', (page: Page) => all(select, page));
