import { AlreadyExistsError, NotFoundError, StaleLeaseError } from '../../core/errors.js';
import { writeOperation } from '../operation.js';
import {
  type AttemptOutcome,
  type JobAfterLease,
  type JobStateName,
  jobAfterLeaseColumns,
  type ToldOutcome,
} from '../rows.js';
import { earlier, type RetryPause, retryPause, usedAttempts } from '../sql.js';
import { eventRecorder } from './record-event.js';

export interface CompleteJobInput extends RetryPause {
  jobId: string;
  attempt: number;
  fence: number;
  outcome: ToldOutcome;
  message: string;
  /** JobStatistics as protobuf JSON. */
  statistics: string;
  /** That its bot took the lease, and when, if it is not on record yet. */
  acknowledged?: { readonly botId: string; readonly at: number };
  now: number;
}

export interface CompletedJob {
  recordedAt: number;
  state: JobStateName;
  /** Undefined when the result was on record already. */
  job: JobAfterLease | undefined;
}

interface EndedAttempt {
  attempt: number;
  ended_at: number | null;
  outcome: AttemptOutcome | null;
  message: string | null;
  statistics: string | null;
  state_after: JobStateName | null;
}

/** Whether the attempt is used up. All of these speak of the row as it was before. */
const failed = "(@outcome <> 'completed' AND (@outcome = 'failed' OR timed_out_at IS NOT NULL))";

/** Where the job goes. Said in place, not in a WITH: that made a table of its own, 130 us each time. */
const next = `CASE
  WHEN @outcome = 'completed' THEN 'completed'
  WHEN cancel_requested_at IS NOT NULL THEN 'cancelled'
  WHEN close_by <= @now OR (${failed} AND ${usedAttempts} + 1 >= max_attempts) THEN 'dead'
  WHEN pause_requested_at IS NOT NULL THEN 'paused'
  ELSE 'pending' END`;

const goesOn = `(${next}) IN ('pending', 'paused')`;

const readyAt = `iif(${failed} AND @retryFirstMs > 0, @now + ${retryPause}, NULL)`;

/**
 * Ends an attempt with its bot's result. Idempotent: the same result under the
 * same lease again returns what was recorded the first time.
 *
 * Where the job goes: completed is final. A failure, or a run that was stopped
 * for taking too long, uses up an attempt and leads back to pending, after a
 * pause, until none is left (dead). The bot's own trouble uses up none, and so
 * does a run that was stopped though nobody wanted it. Whatever leads back to
 * pending is cancelled or paused instead if somebody asked for that, and dead if
 * the job's time is over: the first commit wins, both are recorded.
 *
 * @throws StaleLeaseError, AlreadyExistsError (another result), NotFoundError (job)
 */
export const completeJob = writeOperation('complete_job', 'result', (db) => {
  const unlease = db.prepare<[object]>(`
      DELETE FROM leases
      WHERE job_id = @jobId AND fence = @fence AND attempt = @attempt`);
  const finish = db.prepare<[object], JobAfterLease>(`
      UPDATE jobs SET
        state = ${next},
        started_at = coalesce(started_at, @acknowledgedAt),
        failed_attempts = failed_attempts + ${failed},
        lost_attempts = lost_attempts + (${goesOn} AND NOT ${failed} AND pause_requested_at IS NULL),
        finished_at = iif(${goesOn}, NULL, @now),
        delayed = (${next}) = 'pending' AND ${readyAt} IS NOT NULL,
        ready_at = ${readyAt},
        start_by = coalesce(${readyAt}, @now) + start_within_ms,
        due_at = CASE ${next}
          WHEN 'pending' THEN ${earlier(`coalesce(${readyAt}, @now) + start_within_ms`, 'close_by')}
          WHEN 'paused' THEN close_by END,
        outcome = iif(timed_out_at IS NULL OR @outcome = 'completed', @outcome, 'timed_out'),
        message = iif(timed_out_at IS NULL OR @outcome = 'completed', @message,
          'the run took longer than its timeouts allow'),
        timed_out_at = NULL,
        statistics = @statistics
      WHERE id = @jobId AND fence = @fence
      RETURNING ${jobAfterLeaseColumns}`);
  const end = db.prepare<[object]>(`
      UPDATE attempts SET acknowledged_at = coalesce(acknowledged_at, @acknowledgedAt),
        ended_at = @now, outcome = @outcome, message = @message,
        statistics = @statistics, state_after = @stateAfter
      WHERE job_id = @jobId AND fence = @fence`);
  const ended = db.prepare<[string, number], EndedAttempt>(`
      SELECT attempt, ended_at, outcome, message, statistics, state_after FROM attempts
      WHERE job_id = ? AND fence = ?`);
  const exists = db.prepare<[string]>('SELECT 1 FROM jobs WHERE id = ?');
  const recordEvent = eventRecorder(db);

  const recordedBefore = (input: CompleteJobInput) => {
    const before = ended.get(input.jobId, input.fence);
    if (!before && !exists.get(input.jobId)) {
      throw new NotFoundError({ resource: 'job', id: input.jobId });
    }
    if (before?.state_after == null || before.attempt !== input.attempt) {
      throw new StaleLeaseError(input);
    }
    if (before.outcome !== input.outcome || before.message !== input.message) {
      throw new AlreadyExistsError({
        resource: 'result',
        id: input.jobId,
        why: 'another result of this attempt is on record already',
      });
    }
    const recordedAt = before.ended_at as number;
    return { recordedAt, state: before.state_after, job: undefined };
  };

  return (input: CompleteJobInput): CompletedJob => {
    const { jobId, attempt, fence, outcome, message, statistics, now } = input;
    if (unlease.run({ jobId, attempt, fence }).changes === 0) return recordedBefore(input);
    const { retryFirstMs, retryMaxMs, acknowledged } = input;
    const acknowledgedAt = acknowledged?.at ?? null;
    if (acknowledged) {
      recordEvent(acknowledged.at, 'job.running', jobId, { botId: acknowledged.botId, fence });
    }
    const result = { jobId, fence, outcome, message, statistics, acknowledgedAt, now };
    const job = finish.get({ ...result, retryFirstMs, retryMaxMs }) as JobAfterLease;
    end.run({ ...result, stateAfter: job.state });
    recordEvent(input.now, `job.${job.state}`, jobId, { attempt, fence, outcome: input.outcome });
    return { recordedAt: input.now, state: job.state, job };
  };
});
