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

interface Page {
  since: number;
  limit: number;
}

const columns = `id, state, kind, project, target_name, finished_at,
    CASE WHEN state = 'dead' THEN substr(message, 1, 300) END AS message,
    CASE WHEN state = 'dead' THEN statistics END AS statistics,
    CASE WHEN state = 'dead' THEN earlier_statistics END AS earlier_statistics`;
const ofAll = statement<Page, EndRow>(`
  SELECT ${columns} FROM jobs WHERE finished_at IS NOT NULL AND finished_at >= @since
  ORDER BY finished_at DESC, id DESC LIMIT @limit`);

/** Among the newest jobs of the project: these ends have no index of their own. */
const ofProject = statement<Page & { project: string }, EndRow>(`
  SELECT * FROM (
    SELECT ${columns} FROM jobs WHERE project = @project ORDER BY id DESC LIMIT @limit) AS newest
  WHERE finished_at IS NOT NULL AND finished_at >= @since`);

/** Jobs that ended last, the newest first; of one project, or of all. */
export const newestEnds = pageOperation(
  'newest_ends',
  ({ project, ...page }: Page & { project?: string }) =>
    project === undefined ? all(ofAll, page) : all(ofProject, { ...page, project }),
);
