import { writeOperation } from '../operation.js';
import { type JobAfterLease, jobAfterLeaseColumns, type ReleaseOutcome } from '../rows.js';
import { earlier, type RetryPause, retryPause, usedAttempts } from '../sql.js';
import { eventRecorder } from './record-event.js';

/** Where the job goes, and when; of the row as it was before. */
const next = `CASE
  WHEN cancel_requested_at IS NOT NULL THEN 'cancelled'
  WHEN close_by <= @now OR (@refused + @failed > 0 AND ${usedAttempts} + 1 >= max_attempts) THEN 'dead'
  WHEN pause_requested_at IS NOT NULL THEN 'paused'
  ELSE 'pending' END`;

const readyAt = `iif(@refused + @failed > 0 AND @retryFirstMs > 0, @now + ${retryPause}, NULL)`;

/** An offer that came to nothing was no start. */
const startBy = 'iif(@lost + @failed > 0, @now + start_within_ms, start_by)';

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
  const requeue = db.prepare<[object], JobAfterLease>(`
      UPDATE jobs SET
        state = ${next},
        failed_attempts = failed_attempts + @failed,
        refused_attempts = refused_attempts + @refused,
        lost_attempts = lost_attempts + @lost,
        finished_at = iif((${next}) IN ('pending', 'paused'), NULL, @now),
        delayed = (${next}) = 'pending' AND ${readyAt} IS NOT NULL,
        ready_at = ${readyAt},
        start_by = ${startBy},
        due_at = CASE ${next}
          WHEN 'pending' THEN ${earlier(startBy, 'close_by')}
          WHEN 'paused' THEN close_by END,
        timed_out_at = NULL,
        outcome = @outcome, message = @message
      WHERE id = @jobId AND fence = @fence
      RETURNING ${jobAfterLeaseColumns}`);
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
  ): JobAfterLease | undefined => {
    const { jobId, fence, outcome, message, now, retryFirstMs, retryMaxMs } = input;
    if (unlease.run({ jobId, fence }).changes === 0) return undefined;
    const job = requeue.get({
      ...{ jobId, fence, outcome, message, now, retryFirstMs, retryMaxMs },
      refused: outcome === 'rejected' ? 1 : 0,
      failed: outcome === 'timed_out' ? 1 : 0,
      lost: outcome === 'lost' ? 1 : 0,
    }) as JobAfterLease;
    end.run({ jobId, fence, outcome, message, now });
    recordEvent(now, `job.${job.state}`, jobId, { fence, outcome });
    return job;
  };
});
