import { AlreadyExistsError, NotFoundError, StaleLeaseError } from '../../../core/errors.js';
import type { RetryPause } from '../../after-attempt.js';
import { writeOperation } from '../../operation.js';
import type { AttemptOutcome, JobStateName, ToldOutcome } from '../../rows.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';
import { lockJob } from './lock-job.js';
import { type MovedOn, moveOn } from './move-on.js';

export interface CompleteJobInput extends RetryPause {
  jobId: string;
  attempt: number;
  fence: number;
  outcome: ToldOutcome;
  message: string;
  /** JobStatistics as protobuf JSON. */
  statistics: string;
  /** The bot that took the lease, and when, if that is not on record yet. */
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

/** The result of an attempt. */
interface Ended {
  jobId: string;
  fence: number;
  acknowledgedAt: number | null;
  now: number;
  outcome: ToldOutcome;
  message: string;
  statistics: string;
  stateAfter: JobStateName;
}

const unlease = statement<{ jobId: string; fence: number; attempt: number }>(
  'DELETE FROM leases WHERE job_id = @jobId AND fence = @fence AND attempt = @attempt',
);
/** The usual end, and final whatever else there is to the job: nothing has to be read first. */
const complete = statement<Ended>(`
  UPDATE jobs SET
    state = 'completed', outcome = 'completed', message = @message, statistics = @statistics,
    started_at = coalesce(started_at, @acknowledgedAt), finished_at = @now,
    ready_at = NULL, due_at = NULL, timed_out_at = NULL
  WHERE id = @jobId`);
const end = statement<Ended>(`
  UPDATE attempts SET acknowledged_at = coalesce(acknowledged_at, @acknowledgedAt),
    ended_at = @now, outcome = @outcome, message = @message, statistics = @statistics,
    state_after = @stateAfter
  WHERE job_id = @jobId AND fence = @fence`);
const ended = statement<{ jobId: string; fence: number }, EndedAttempt>(`
  SELECT attempt, ended_at, outcome, message, statistics, state_after FROM attempts
  WHERE job_id = @jobId AND fence = @fence`);
const exists = statement<{ jobId: string }, unknown>('SELECT 1 FROM jobs WHERE id = @jobId');

/**
 * Ends an attempt with its bot's result. Idempotent: the same result under the same lease
 * again returns what was recorded the first time.
 *
 * @throws StaleLeaseError, AlreadyExistsError (another result), NotFoundError (job)
 */
export const completeJob = writeOperation(
  'complete_job',
  'result',
  function* (input: CompleteJobInput): Steps<CompletedJob> {
    const { jobId, attempt, fence, outcome, message, statistics, acknowledged, now } = input;
    yield* lockJob(jobId);
    if ((yield* run(unlease, input)) === 0) return yield* recordedBefore(input);
    if (acknowledged) {
      const { botId, at } = acknowledged;
      yield* recordEvent(at, 'job.running', jobId, { botId, fence });
    }
    const acknowledgedAt = acknowledged?.at ?? null;
    const reported = { statistics, acknowledgedAt };
    const moved = outcome === 'completed' ? completed : yield* moveOn(jobId, input, reported);
    const stateAfter = moved.state;
    const result = { jobId, fence, acknowledgedAt, now, outcome, message, statistics, stateAfter };
    if (outcome === 'completed') yield* run(complete, result);
    yield* run(end, result);
    yield* recordEvent(now, `job.${moved.state}`, jobId, { attempt, fence, outcome });
    return { recordedAt: now, state: moved.state, wakes: moved.wakes };
  },
);

const completed: MovedOn = { state: 'completed', wakes: undefined };

/** The receipt of a result that was recorded earlier. */
function* recordedBefore(input: CompleteJobInput): Steps<CompletedJob> {
  const before = yield* one(ended, input);
  if (!before && !(yield* one(exists, input))) {
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
}
