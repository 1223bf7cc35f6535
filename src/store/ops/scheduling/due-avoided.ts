import { pageOperation } from '../../operation.js';
import type { JobStateName } from '../../rows.js';
import { all, statement } from '../../statement.js';

/** A bot that a job avoids, when it is time to look whether others can take the job. */
export interface DueAvoided {
  bot_id: string;
  job_id: string;
  queue_id: number;
  state: JobStateName;
}

interface Due {
  now: number;
  limit: number;
}

const select = statement<Due, DueAvoided>(`
  SELECT avoided.bot_id, job_id, queue_id, state
  FROM avoided JOIN jobs ON jobs.id = job_id
  WHERE active = 1 AND until_at <= @now ORDER BY until_at LIMIT @limit`);

/** The first `limit` that are due; only the front of an index is read. */
export const dueAvoided = pageOperation('due_avoided', (input: Due) => all(select, input));
