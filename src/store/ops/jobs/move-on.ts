import type { Database } from 'better-sqlite3';
import {
  afterAttempt,
  columnsOfAttempt,
  type Ending,
  type JobOfAttempt,
} from '../../after-attempt.js';
import type { JobStateName } from '../../rows.js';

/** Where a job went. */
export interface MovedOn {
  state: JobStateName;
  /** The queue in which it waits again, for a bot to take it. */
  wakes: number | undefined;
}

/** Moves a job on whose attempt has ended. Part of the operations that end one. */
export function jobMover(db: Database) {
  const select = db.prepare<[string], JobOfAttempt>(
    `SELECT ${columnsOfAttempt} FROM jobs WHERE id = ?`,
  );
  const update = db.prepare<[object]>(`
      UPDATE jobs SET
        state = @state, outcome = @outcome, message = @message,
        statistics = coalesce(@statistics, statistics),
        failed_attempts = @failed_attempts, refused_attempts = @refused_attempts,
        lost_attempts = @lost_attempts,
        started_at = coalesce(started_at, @acknowledgedAt), finished_at = @finished_at,
        delayed = @delayed, ready_at = @ready_at, start_by = @start_by, due_at = @due_at,
        timed_out_at = NULL
      WHERE id = @jobId`);

  return (
    jobId: string,
    ending: Ending,
    told: { statistics: string | null; acknowledgedAt: number | null },
  ): MovedOn => {
    const job = select.get(jobId) as JobOfAttempt;
    const after = afterAttempt(job, ending);
    update.run({ jobId, ...told, ...after });
    const { state, delayed } = after;
    return { state, wakes: state === 'pending' && delayed === 0 ? job.queue_id : undefined };
  };
}
