import { writeOperation } from '../operation.js';
import { type JobRow, qualifiedJobColumns, type ReleaseOutcome } from '../rows.js';
import { earlier, type RetryPause, retryPause, usedAttempts } from '../sql.js';
import { eventRecorder } from './record-event.js';

/**
 * Takes a lease back without a result: the bot refused the offer, did not
 * answer it, was lost, or did not stop a run whose time was over. The job waits
 * again, or is cancelled or paused if somebody wanted that. A refusal and a run
 * that took too long use up an attempt and lead to a pause, so that a job nobody
 * takes ends as dead rather than go round for ever. A lease that is no longer
 * valid: undefined.
 */
export const releaseLease = writeOperation('release_lease', 'result', (db) => {
  const unlease = db.prepare<[object]>(
    'DELETE FROM leases WHERE job_id = @jobId AND fence = @fence',
  );
  const requeue = db.prepare<[object], JobRow>(`
      WITH next (state, ready_at) AS (
        SELECT CASE
          WHEN cancel_requested_at IS NOT NULL THEN 'cancelled'
          WHEN close_by <= @now OR (@refused + @failed > 0 AND ${usedAttempts} + 1 >= max_attempts)
            THEN 'dead'
          WHEN pause_requested_at IS NOT NULL THEN 'paused'
          ELSE 'pending' END,
          iif(@refused + @failed > 0 AND @retryFirstMs > 0, @now + ${retryPause}, NULL)
        FROM jobs WHERE id = @jobId)
      UPDATE jobs SET
        state = next.state,
        failed_attempts = failed_attempts + @failed,
        refused_attempts = refused_attempts + @refused,
        lost_attempts = lost_attempts + @lost,
        finished_at = iif(next.state IN ('pending', 'paused'), NULL, @now),
        delayed = next.state = 'pending' AND next.ready_at IS NOT NULL,
        ready_at = next.ready_at,
        -- An offer that came to nothing was no start.
        start_by = iif(@lost + @failed > 0, @now + start_within_ms, start_by),
        due_at = CASE next.state
          WHEN 'pending' THEN
            ${earlier('iif(@lost + @failed > 0, @now + start_within_ms, start_by)', 'close_by')}
          WHEN 'paused' THEN close_by END,
        timed_out_at = NULL,
        outcome = @outcome, message = @message
      FROM next
      WHERE id = @jobId AND fence = @fence
      RETURNING ${qualifiedJobColumns}`);
  const end = db.prepare<[object]>(`
      UPDATE attempts SET ended_at = @now, outcome = @outcome, message = @message
      WHERE job_id = @jobId AND fence = @fence`);
  const recordEvent = eventRecorder(db);

  return (
    input: RetryPause & {
      jobId: string;
      fence: number;
      outcome: ReleaseOutcome;
      /** For people; what the bot gave as its reason, or what the master saw. */
      message: string;
      now: number;
    },
  ): JobRow | undefined => {
    const { jobId, fence, outcome, message, now, retryFirstMs, retryMaxMs } = input;
    if (unlease.run({ jobId, fence }).changes === 0) return undefined;
    const job = requeue.get({
      ...{ jobId, fence, outcome, message, now, retryFirstMs, retryMaxMs },
      refused: outcome === 'rejected' ? 1 : 0,
      failed: outcome === 'timed_out' ? 1 : 0,
      lost: outcome === 'lost' ? 1 : 0,
    }) as JobRow;
    end.run({ jobId, fence, outcome, message, now });
    recordEvent(now, `job.${job.state}`, jobId, { fence, outcome });
    return job;
  };
});
