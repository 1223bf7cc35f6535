import { writeOperation } from '../operation.js';
import { type ClaimedJob, claimedJobColumns } from '../rows.js';
import { earlier } from '../sql.js';
import { eventRecorder } from './record-event.js';

/**
 * Hands the next job of any of `queues` to a bot: highest priority first, then
 * oldest. The fence rises in the same statement that takes the job, so no two
 * claims ever get the same one, and everything said under an earlier lease is
 * stale from here on.
 */
export const claimJob = writeOperation('claim_job', 'work', (db) => {
  const firstOf = (queue: string) => `
      SELECT id FROM jobs
      WHERE state = 'pending' AND delayed = 0 AND queue_id = ${queue}
      ORDER BY priority DESC, id LIMIT 1`;
  const claimOf = (choice: string) =>
    db.prepare<[object], ClaimedJob>(`
      UPDATE jobs SET
        state = iif(@acknowledged, 'running', 'assigned'),
        fence = fence + 1,
        attempt = failed_attempts + refused_attempts + 1,
        bot_id = @botId,
        cancel_acknowledged_at = NULL,
        started_at = iif(@acknowledged, coalesce(started_at, @now), started_at),
        due_at = iif(@acknowledged, ${earlier('@now + run_within_ms', 'close_by')}, close_by)
      WHERE id = (${choice})
      RETURNING ${claimedJobColumns}`);
  // Cast, or SQLite would prepare the statement anew for each value: 65 us.
  const claimOfOne = claimOf(firstOf('CAST(@queue AS INTEGER)'));
  const claimOfMany = claimOf(`
        SELECT job.id
        FROM json_each(@queues) AS queue
        JOIN jobs AS job ON job.id = (${firstOf('queue.value')})
        ORDER BY job.priority DESC, job.id LIMIT 1`);
  const lease = db.prepare<[object]>(`
      INSERT INTO leases (job_id, attempt, fence, bot_id, ttl_ms, pulled, assigned_at,
        acknowledged_at)
      VALUES (@jobId, @attempt, @fence, @botId, @ttlMs, @acknowledged, @now, iif(@acknowledged, @now, NULL))`);
  const attempt = db.prepare<[object]>(`
      INSERT INTO attempts (job_id, attempt, fence, bot_id, assigned_at, acknowledged_at)
      VALUES (@jobId, @attempt, @fence, @botId, @now, iif(@acknowledged, @now, NULL))`);
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
    const { botId, ttlMs, now } = input;
    const acknowledged = input.acknowledged ? 1 : 0;
    const claimant = { botId, acknowledged, now };
    const [queue] = input.queues;
    const job =
      input.queues.length === 1
        ? claimOfOne.get({ ...claimant, queue })
        : claimOfMany.get({ ...claimant, queues: JSON.stringify(input.queues) });
    if (!job) return undefined;
    const { attempt: number, fence } = job;
    const grant = { jobId: job.id, attempt: number, fence, botId, now };
    lease.run({ ...grant, ttlMs, acknowledged });
    attempt.run({ ...grant, acknowledged });
    recordEvent(now, 'job.assigned', job.id, { botId, attempt: number, fence });
    if (input.acknowledged) recordEvent(now, 'job.running', job.id, { botId, fence });
    return job;
  };
});
