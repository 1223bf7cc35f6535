import { pageOperation } from '../../operation.js';
import { type QueueRow, queueColumns } from '../../rows.js';
import { all, statement } from '../../statement.js';

interface Page {
  afterId: number;
  limit: number;
}

const select = statement<Page, QueueRow>(
  `SELECT ${queueColumns} FROM queues WHERE id > @afterId ORDER BY id LIMIT @limit`,
);

/** The queues after `afterId`, by id. */
export const listQueues = pageOperation('list_queues', (page: Page) => all(select, page));
