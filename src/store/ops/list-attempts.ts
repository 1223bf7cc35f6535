import { readOperation } from '../operation.js';
import type { AttemptRow } from '../rows.js';

/** The last `limit` leases of a job, the newest first. */
export const listAttempts = readOperation('list_attempts', (db) => {
  const select = db.prepare<[string, number], AttemptRow>(`
      SELECT attempt, fence, bot_id, assigned_at, acknowledged_at, ended_at, outcome, message
      FROM attempts WHERE job_id = ? ORDER BY fence DESC LIMIT ?`);
  return (input: { jobId: string; limit: number }): AttemptRow[] =>
    select.all(input.jobId, input.limit);
});
