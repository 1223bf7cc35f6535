import { pageOperation } from '../../operation.js';
import { inCluster } from '../../sql.js';
import { all, one, type Steps, statement } from '../../statement.js';

/** Jobs for which a time of theirs has come. */
export interface Due {
  /** Jobs whose time is over. */
  readonly overdue: readonly string[];
  /** Whether there are delayed jobs that may start. */
  readonly isReady: boolean;
}

interface ListDue {
  now: number;
  limit: number;
  /** Of a cluster's: jobs that run under leases of others are left to those; absent: all. */
  master?: number | undefined;
}

const notOfOthers = inCluster(`AND (CAST(@master AS bigint) IS NULL OR NOT EXISTS (
    SELECT 1 FROM leases WHERE job_id = jobs.id AND master <> @master))`);
const overdue = statement<Omit<ListDue, 'master'> & { master: number | null }, { id: string }>(
  `SELECT id FROM jobs WHERE due_at <= @now ${notOfOthers} ORDER BY due_at, id LIMIT @limit`,
);
const ready = statement<{ now: number }, unknown>(
  'SELECT 1 FROM jobs WHERE delayed = 1 AND ready_at <= @now LIMIT 1',
);

/** The first `limit` jobs whose time is over; only the front of an index is read. */
export const listDue = pageOperation('list_due', function* (input: ListDue): Steps<Due> {
  const rows = yield* all(overdue, { ...input, master: input.master ?? null });
  const isReady = (yield* one(ready, input)) !== undefined;
  return { overdue: rows.map(({ id }) => id), isReady };
});
