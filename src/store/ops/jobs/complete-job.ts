import { AlreadyExistsError, NotFoundError, StaleLeaseError } from '../../../core/errors.js';
import type { RetryPause } from '../../after-attempt.js';
import { writeOperation } from '../../operation.js';
import type { AttemptOutcome, JobStateName, ToldOutcome } from '../../rows.js';
import { eventRecorder } from '../events/record-event.js';
import { jobMover, type MovedOn } from './move-on.js';

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

export interface CompletedJob extends MovedOn {
  recordedAt: number;
}

interface EndedAttempt {
  attempt: number;
  ended_at: number | null;
  outcome: AttemptOutcome | null;
  message: string | null;
  statistics: string | null;
  state_after: JobStateName | null;
}

/**
 * Ends an attempt with its bot's result. Idempotent: the same result under the
 * same lease again returns what was recorded the first time.
 *
 * @throws StaleLeaseError, AlreadyExistsError (another result), NotFoundError (job)
 */
export const completeJob = writeOperation('complete_job', 'result', (db) => {
  const unlease = db.prepare<[string, number, number]>(
    'DELETE FROM leases WHERE job_id = ? AND fence = ? AND attempt = ?',
  );
  // The usual end, and final whatever else there is to the job: nothing has to be looked at.
  const complete = db.prepare(`
      UPDATE jobs SET
        state = 'completed', outcome = 'completed', message = ?, statistics = ?,
        started_at = coalesce(started_at, ?), finished_at = ?,
        ready_at = NULL, due_at = NULL, timed_out_at = NULL
      WHERE id = ?`);
  const moveOn = jobMover(db);
  const end = db.prepare(`
      UPDATE attempts SET acknowledged_at = coalesce(acknowledged_at, ?), ended_at = ?,
        outcome = ?, message = ?, statistics = ?, state_after = ?
      WHERE job_id = ? AND fence = ?`);
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
    return { recordedAt, state: before.state_after, wakes: undefined };
  };

  return (input: CompleteJobInput): CompletedJob => {
    const { jobId, attempt, fence, outcome, message, statistics, now } = input;
    if (unlease.run(jobId, fence, attempt).changes === 0) return recordedBefore(input);
    const { acknowledged } = input;
    const acknowledgedAt = acknowledged?.at ?? null;
    if (acknowledged) {
      recordEvent(acknowledged.at, 'job.running', jobId, { botId: acknowledged.botId, fence });
    }
    let moved: MovedOn = { state: 'completed', wakes: undefined };
    if (outcome === 'completed') complete.run(message, statistics, acknowledgedAt, now, jobId);
    else moved = moveOn(jobId, input, { statistics, acknowledgedAt });
    end.run(acknowledgedAt, now, outcome, message, statistics, moved.state, jobId, fence);
    recordEvent(now, `job.${moved.state}`, jobId, { attempt, fence, outcome });
    return { recordedAt: now, ...moved };
  };
});
