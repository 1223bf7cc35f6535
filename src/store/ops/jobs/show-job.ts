import { readOperation } from '../../operation.js';
import { type AttemptRow, type JobRow, jobColumns } from '../../rows.js';

/** A job with its last `attempts` leases, the newest first; in one go, as it is asked for often. */
export const showJob = readOperation('show_job', (db) => {
  const job = db.prepare<[string], JobRow>(`SELECT ${jobColumns} FROM jobs WHERE id = ?`);
  const last = db.prepare<[string, number], AttemptRow>(`
      SELECT attempt, fence, bot_id, assigned_at, acknowledged_at, ended_at, outcome, message
      FROM attempts WHERE job_id = ? ORDER BY fence DESC LIMIT ?`);
  return (input: {
    jobId: string;
    attempts: number;
  }): { job: JobRow; attempts: AttemptRow[] } | undefined => {
    const row = job.get(input.jobId);
    return (
      row && { job: row, attempts: row.fence > 0 ? last.all(input.jobId, input.attempts) : [] }
    );
  };
});
