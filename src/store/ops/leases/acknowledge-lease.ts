import { StaleLeaseError } from '../../../core/errors.js';
import { writeOperation } from '../../operation.js';
import { earlier } from '../../sql.js';
import { eventRecorder } from '../events/record-event.js';

/**
 * The bot has taken the job it was offered. Saying so twice is no error.
 *
 * @throws StaleLeaseError
 */
export const acknowledgeLease = writeOperation('acknowledge_lease', 'result', (db) => {
  const lease = db.prepare<[object]>(`
      UPDATE leases SET acknowledged_at = coalesce(acknowledged_at, @now)
      WHERE job_id = @jobId AND fence = @fence AND bot_id = @botId`);
  const job = db.prepare<[object]>(`
      UPDATE jobs SET
        state = 'running',
        started_at = coalesce(started_at, @now),
        due_at = ${earlier('@now + run_within_ms', 'close_by')}
      WHERE id = @jobId AND fence = @fence AND state = 'assigned'`);
  const attempt = db.prepare<[object]>(`
      UPDATE attempts SET acknowledged_at = @now
      WHERE job_id = @jobId AND fence = @fence AND acknowledged_at IS NULL`);
  const recordEvent = eventRecorder(db);

  return (input: {
    jobId: string;
    attempt: number;
    fence: number;
    botId: string;
    now: number;
  }): void => {
    const { jobId, fence, botId, now } = input;
    if (lease.run({ jobId, fence, botId, now }).changes === 0) throw new StaleLeaseError(input);
    if (job.run({ jobId, fence, now }).changes === 0) return;
    attempt.run({ jobId, fence, now });
    recordEvent(now, 'job.running', jobId, { botId, fence });
  };
});
