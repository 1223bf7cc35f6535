import { AlreadyExistsError, NotFoundError, StaleLeaseError } from '../../core/errors.js';
import { writeOperation } from '../operation.js';
import { type AttemptOutcome, type JobRow, type JobStateName, jobColumns } from '../rows.js';
import { eventRecorder } from './record-event.js';

export interface CompleteJobInput {
  jobId: string;
  attempt: number;
  fence: number;
  outcome: Extract<AttemptOutcome, 'completed' | 'failed' | 'cancelled' | 'infrastructure'>;
  message: string;
  /** JobStatistics as protobuf JSON. */
  statistics: string;
  now: number;
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
 * Where the job goes: completed and cancelled are final; a failure uses up an
 * attempt and leads back to pending until none is left (dead); infrastructure
 * trouble uses up none. Whatever leads back to pending is cancelled instead if
 * somebody asked for that meanwhile: the first commit wins, both are recorded.
 *
 * @throws StaleLeaseError, AlreadyExistsError (another result), NotFoundError (job)
 */
export const completeJob = writeOperation('complete_job', 'result', (db) => {
  const unlease = db.prepare<[object]>(`
      DELETE FROM leases
      WHERE job_id = @jobId AND fence = @fence AND attempt = @attempt`);
  const finish = db.prepare<[object], JobRow>(`
      WITH next (state) AS (
        SELECT CASE
          WHEN @outcome IN ('completed', 'cancelled') THEN @outcome
          WHEN cancel_requested_at IS NOT NULL THEN 'cancelled'
          WHEN @outcome = 'failed' AND failed_attempts + 1 >= max_attempts THEN 'dead'
          ELSE 'pending' END
        FROM jobs WHERE id = @jobId)
      UPDATE jobs SET
        state = next.state,
        failed_attempts = failed_attempts + (@outcome = 'failed'),
        finished_at = iif(next.state = 'pending', NULL, @now),
        outcome = @outcome, message = @message, statistics = @statistics
      FROM next
      WHERE id = @jobId AND fence = @fence
      RETURNING ${jobColumns.replace('state', 'jobs.state')}`);
  const end = db.prepare<[object]>(`
      UPDATE attempts SET ended_at = @now, outcome = @outcome, message = @message,
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

  return (
    input: CompleteJobInput,
  ): { recordedAt: number; state: JobStateName; job: JobRow | undefined } => {
    const { jobId, attempt, fence, ...result } = input;
    if (unlease.run({ jobId, attempt, fence }).changes === 0) return recordedBefore(input);
    const job = finish.get({ jobId, fence, ...result }) as JobRow;
    end.run({ jobId, fence, ...result, stateAfter: job.state });
    recordEvent(input.now, `job.${job.state}`, jobId, { attempt, fence, outcome: input.outcome });
    return { recordedAt: input.now, state: job.state, job };
  };
});
