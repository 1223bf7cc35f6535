import { pageOperation, writeOperation } from '../../operation.js';
import type { JobStateName } from '../../rows.js';
import { all, run, type Steps, statement } from '../../statement.js';

/** Work whose job has ended. */
export interface EndedWork {
  id: number;
  jobId: string;
  tries: number;
  /** null: the job is forgotten. */
  state: JobStateName | null;
}

/** What becomes of work, if it stands as it was read. */
export interface SettledWork {
  id: number;
  /** null: it waits. */
  jobId: string | null;
  /** It waits for another job; else it is over. */
  again: boolean;
}

const ended = statement<{ limit: number }, EndedWork>(`
  SELECT crash_work.id, job_id AS "jobId", tries, jobs.state
  FROM crash_work LEFT JOIN jobs ON jobs.id = job_id
  WHERE job_id > '' AND (jobs.id IS NULL OR finished_at IS NOT NULL)
  ORDER BY job_id LIMIT @limit`);
const again = statement<{ id: number; jobId: string | null }>(`
  UPDATE crash_work SET job_id = NULL, tries = tries + 1 WHERE id = @id AND job_id = @jobId`);
const over = statement<{ id: number; jobId: string | null }>(
  'DELETE FROM crash_work WHERE id = @id AND job_id = @jobId',
);
const dropped = statement<{ id: number }>(
  'DELETE FROM crash_work WHERE id = @id AND job_id IS NULL',
);

/** Work whose job has ended since it was looked at last; at most `limit`. */
export const endedWork = pageOperation('list_ended_crash_work', (input: { limit: number }) =>
  all(ended, input),
);

/** Settles work whose job has ended, or that is not wanted. */
export const settleCrashWork = writeOperation(
  'settle_crash_work',
  'upkeep',
  function* (settled: readonly SettledWork[]): Steps<void> {
    for (const one of settled) {
      if (one.jobId === null) yield* run(dropped, one);
      else yield* run(one.again ? again : over, one);
    }
  },
);
