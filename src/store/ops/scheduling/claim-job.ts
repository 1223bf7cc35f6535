import { writeOperation } from '../../operation.js';
import type { ClaimedJob, JobRow } from '../../rows.js';
import { earlier } from '../../sql.js';
import { eventRecorder } from '../events/record-event.js';

type JobToClaim = Omit<ClaimedJob, 'attempt'> &
  Pick<JobRow, 'failed_attempts' | 'refused_attempts'>;

const columnsToClaim = `id, campaign, fence, failed_attempts, refused_attempts, spec,
  cancel_requested_at, pause_requested_at, timed_out_at`;

/**
 * Hands the next job of any of `queues` to a bot: highest priority first, then
 * oldest. The fence rises in the transaction that takes the job, so no two claims ever
 * get the same one, and everything said under an earlier lease is stale from here on.
 */
export const claimJob = writeOperation('claim_job', 'work', (db) => {
  const firstOf = (columns: string, queue: string) => `
      SELECT ${columns} FROM jobs
      WHERE state = 'pending' AND delayed = 0 AND queue_id = ${queue}
      ORDER BY priority DESC, id LIMIT 1`;
  // Cast, or SQLite would prepare the statement anew for each value: 65 us.
  const nextOfOne = db.prepare<[number], JobToClaim>(firstOf(columnsToClaim, 'CAST(? AS INTEGER)'));
  const nextOfMany = db.prepare<[object], JobToClaim>(`
      SELECT ${columnsToClaim} FROM jobs
      WHERE id IN (SELECT (${firstOf('id', 'queue.value')}) FROM json_each(@queues) AS queue)
      ORDER BY priority DESC, id LIMIT 1`);
  // Looked at and then taken: RETURNING keeps rows in a table of its own, 2 us each time.
  const offer = db.prepare<[number, number, string, string]>(`
      UPDATE jobs SET state = 'assigned', attempt = ?, fence = ?, bot_id = ?,
        cancel_acknowledged_at = NULL, due_at = close_by
      WHERE id = ?`);
  const start = db.prepare<[object]>(`
      UPDATE jobs SET state = 'running', attempt = @attempt, fence = @fence, bot_id = @botId,
        cancel_acknowledged_at = NULL, started_at = coalesce(started_at, @now),
        due_at = ${earlier('@now + run_within_ms', 'close_by')}
      WHERE id = @jobId`);
  const lease = db.prepare(`
      INSERT INTO leases (job_id, attempt, fence, bot_id, assigned_at, acknowledged_at, ttl_ms,
        pulled)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  const record = db.prepare(`
      INSERT INTO attempts (job_id, attempt, fence, bot_id, assigned_at, acknowledged_at)
      VALUES (?, ?, ?, ?, ?, ?)`);
  const recordEvent = eventRecorder(db);

  return (input: {
    botId: string;
    /** Queues the bot may be given jobs of, by their ids. */
    queues: readonly number[];
    ttlMs: number;
    /** The claim itself is the acknowledgement (AssignJob). */
    acknowledged: boolean;
    now: number;
  }): ClaimedJob | undefined => {
    const { botId, queues, ttlMs, acknowledged, now } = input;
    const [queue] = queues;
    const job =
      queue !== undefined && queues.length === 1
        ? nextOfOne.get(queue)
        : nextOfMany.get({ queues: JSON.stringify(queues) });
    if (!job) return undefined;
    const { id: jobId, failed_attempts, refused_attempts, ...known } = job;
    const fence = job.fence + 1;
    const attempt = failed_attempts + refused_attempts + 1;
    if (acknowledged) start.run({ jobId, attempt, fence, botId, now });
    else offer.run(attempt, fence, botId, jobId);
    const acknowledgedAt = acknowledged ? now : null;
    lease.run(jobId, attempt, fence, botId, now, acknowledgedAt, ttlMs, acknowledged ? 1 : 0);
    record.run(jobId, attempt, fence, botId, now, acknowledgedAt);
    recordEvent(now, 'job.assigned', jobId, { botId, attempt, fence });
    if (acknowledged) recordEvent(now, 'job.running', jobId, { botId, fence });
    return { ...known, id: jobId, attempt, fence };
  };
});
