import { readOperation } from '../../operation.js';
import { type QueueRow, queueColumns } from '../../rows.js';
import { integersOf } from '../../sql.js';
import { all, statement } from '../../statement.js';

const select = statement<{ ids: string }, QueueRow>(`
  SELECT ${queueColumns} FROM queues WHERE id IN (SELECT value FROM ${integersOf('@ids')} AS wanted)`);

/** The queues with these ids, in any order; those that do not exist are left out. */
export const findQueues = readOperation('find_queues', ({ ids }: { ids: readonly number[] }) =>
  all(select, { ids: JSON.stringify(ids) }),
);
