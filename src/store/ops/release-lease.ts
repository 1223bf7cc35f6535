import { writeOperation } from '../operation.js';
import { type AttemptOutcome, type JobRow, jobColumns } from '../rows.js';
import { eventRecorder } from './record-event.js';

/**
 * Takes a lease back without a result: the bot refused the offer, did not
 * answer it, or was lost. The job waits again, or is cancelled if somebody
 * wanted that. Only a refusal uses up an attempt, so that a job nobody takes
 * ends as dead rather than go round for ever. A lease that is no longer valid:
 * undefined.
 */
export const releaseLease = writeOperation('release_lease', 'result', (db) => {
  const unlease = db.prepare<[object]>(
    'DELETE FROM leases WHERE job_id = @jobId AND fence = @fence',
  );
  const requeue = db.prepare<[object], JobRow>(`
      WITH next (state) AS (
        SELECT CASE
          WHEN cancel_requested_at IS NOT NULL THEN 'cancelled'
          WHEN @refused AND failed_attempts + 1 >= max_attempts THEN 'dead'
          ELSE 'pending' END
        FROM jobs WHERE id = @jobId)
      UPDATE jobs SET
        state = next.state,
        failed_attempts = failed_attempts + @refused,
        finished_at = iif(next.state = 'pending', NULL, @now),
        outcome = @outcome, message = @message
      FROM next
      WHERE id = @jobId AND fence = @fence
      RETURNING ${jobColumns.replace('state', 'jobs.state')}`);
  const end = db.prepare<[object]>(`
      UPDATE attempts SET ended_at = @now, outcome = @outcome, message = @message
      WHERE job_id = @jobId AND fence = @fence`);
  const recordEvent = eventRecorder(db);

  return (input: {
    jobId: string;
    fence: number;
    outcome: Extract<AttemptOutcome, 'rejected' | 'unanswered' | 'lost'>;
    /** For people; what the bot gave as its reason, or what the master saw. */
    message: string;
    now: number;
  }): JobRow | undefined => {
    const { jobId, fence, outcome, message, now } = input;
    if (unlease.run({ jobId, fence }).changes === 0) return undefined;
    const refused = outcome === 'rejected' ? 1 : 0;
    const job = requeue.get({ jobId, fence, outcome, message, refused, now }) as JobRow;
    end.run({ jobId, fence, outcome, message, now });
    recordEvent(now, `job.${job.state}`, jobId, { fence, outcome });
    return job;
  };
});
