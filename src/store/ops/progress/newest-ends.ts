import { pageOperation } from '../../operation.js';
import { all, statement } from '../../statement.js';

/** The end of a job. */
export interface EndRow {
  id: string;
  state: string;
  kind: string;
  project: string;
  target_name: string;
  message: string | null;
  finished_at: number;
  statistics: string | null;
  earlier_statistics: string | null;
}

const select = statement<{ since: number; limit: number }, EndRow>(`
  SELECT id, state, kind, project, target_name, finished_at,
    CASE WHEN state = 'dead' THEN substr(message, 1, 300) END AS message,
    CASE WHEN state = 'dead' THEN statistics END AS statistics,
    CASE WHEN state = 'dead' THEN earlier_statistics END AS earlier_statistics
  FROM jobs WHERE finished_at IS NOT NULL AND finished_at >= @since
  ORDER BY finished_at DESC, id DESC LIMIT @limit`);

/** Jobs that ended last, the newest first. */
export const newestEnds = pageOperation('newest_ends', (page: { since: number; limit: number }) =>
  all(select, page),
);
