import { writeOperation } from '../../operation.js';
import type { JobStateName } from '../../rows.js';
import { all, run, type Steps, statement } from '../../statement.js';

/** A bot that a waiting job avoids, when it is time to look whether others can take the job. */
export interface DueAvoided {
  bot_id: string;
  job_id: string;
  queue_id: number;
}

interface Due {
  now: number;
  limit: number;
}

const select = statement<Due, DueAvoided & { state: JobStateName }>(`
  SELECT avoided.bot_id, job_id, queue_id, state
  FROM avoided JOIN jobs ON jobs.id = job_id
  WHERE active = 1 AND until_at <= @now ORDER BY until_at LIMIT @limit`);
const later = statement<{ jobId: string; botId: string; untilAt: number }>(`
  UPDATE avoided SET until_at = @untilAt WHERE bot_id = @botId AND job_id = @jobId AND active = 1`);
const remove = statement<{ jobId: string }>('DELETE FROM avoided WHERE job_id = @jobId');

const isOver = (state: JobStateName) =>
  state === 'completed' || state === 'cancelled' || state === 'dead';

/**
 * The first `limit` that are due. They are due again after `againMs`, unless they are
 * forgiven meanwhile. Rows of jobs that have ended are removed.
 */
export const dueAvoided = writeOperation(
  'due_avoided',
  'upkeep',
  function* (input: Due & { againMs: number }): Steps<DueAvoided[]> {
    const rows = yield* all(select, input);
    for (const { job_id: jobId, bot_id: botId, state } of rows) {
      if (isOver(state)) yield* run(remove, { jobId });
      else yield* run(later, { jobId, botId, untilAt: input.now + input.againMs });
    }
    return rows.flatMap(({ state, ...row }) => (state === 'pending' ? [row] : []));
  },
);
