import { AlreadyExistsError, NotFoundError, StaleLeaseError } from '../../../core/errors.js';
import type { Ending, RetryPause } from '../../after-attempt.js';
import { writeOperation } from '../../operation.js';
import type { AttemptOutcome, JobStateName, StartTroubleName, ToldOutcome } from '../../rows.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';
import { accuseTarget } from './accuse-target.js';
import { type AvoidTimes, avoidBot } from './avoid-bot.js';
import { lockJob } from './lock-job.js';
import { type MovedOn, moveOn } from './move-on.js';

export interface CompleteJobInput extends RetryPause {
  jobId: string;
  attempt: number;
  fence: number;
  outcome: ToldOutcome;
  message: string;
  /** JobStatistics as protobuf JSON; null: those of the last flush of beats. */
  statistics: string | null;
  /** Of a failure: no other attempt can do better. */
  final?: boolean;
  /** Of INFRASTRUCTURE: what kept the run from starting. */
  trouble?: StartTroubleName | null;
  cause?: string;
  /** Of INFRASTRUCTURE: the job is for other bots now. */
  avoid?: AvoidTimes;
  /** The job's build has run on some bot. */
  isProven?: boolean;
  /** The bot that reports the result, where it is known: it has to hold the lease. */
  botId?: string;
  /** The bot that took the lease, and when, if that is not on record yet. */
  acknowledged?: { readonly botId: string; readonly at: number };
  now: number;
}

export interface CompletedJob extends MovedOn {
  recordedAt: number;
  /** Not the bot, but the target was to blame for the start that failed. */
  isTargetToBlame?: boolean;
}

interface EndedAttempt {
  attempt: number;
  bot_id: string;
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
  statistics: string | null;
  stateAfter: JobStateName;
  trouble: StartTroubleName | null;
  cause: string | null;
  final: 0 | 1;
}

const unlease = statement<{ jobId: string; fence: number; attempt: number; botId: string }>(`
  DELETE FROM leases WHERE job_id = @jobId AND fence = @fence AND attempt = @attempt
    AND (@botId = '' OR bot_id = @botId)`);
/** The usual end, and final whatever else there is to the job: nothing has to be read first. */
const complete = statement<Ended>(`
  UPDATE jobs SET
    state = 'completed', outcome = 'completed', message = @message,
    statistics = coalesce(@statistics, statistics), statistics_at = @now, final = 0,
    started_at = coalesce(started_at, @acknowledgedAt), finished_at = @now,
    ready_at = NULL, due_at = NULL, timed_out_at = NULL
  WHERE id = @jobId`);
const end = statement<Ended>(`
  UPDATE attempts SET acknowledged_at = coalesce(acknowledged_at, @acknowledgedAt),
    ended_at = @now, outcome = @outcome, message = @message,
    statistics = coalesce(@statistics, (SELECT statistics FROM jobs WHERE id = @jobId)),
    state_after = @stateAfter, trouble = @trouble, cause = @cause, final = @final
  WHERE job_id = @jobId AND fence = @fence`);
const ended = statement<{ jobId: string; fence: number }, EndedAttempt>(`
  SELECT attempt, bot_id, ended_at, outcome, message, statistics, state_after FROM attempts
  WHERE job_id = @jobId AND fence = @fence`);
const exists = statement<{ jobId: string }, unknown>('SELECT 1 FROM jobs WHERE id = @jobId');

/**
 * Ends an attempt with its bot's result. Idempotent: the same result under the same lease
 * again returns what was recorded the first time. A bot that could not start the job is
 * avoided by it; when a second one lacks the same, the job has failed for good.
 *
 * @throws StaleLeaseError, AlreadyExistsError (another result), NotFoundError (job)
 */
export const completeJob = writeOperation(
  'complete_job',
  'result',
  function* (input: CompleteJobInput): Steps<CompletedJob> {
    const { jobId, attempt, fence, outcome, message, statistics, acknowledged, now } = input;
    const { botId = '', cause, trouble = null } = input;
    yield* lockJob(jobId);
    if ((yield* run(unlease, { jobId, attempt, fence, botId })) === 0) {
      return yield* recordedBefore(input);
    }
    if (acknowledged) {
      const { botId, at } = acknowledged;
      yield* recordEvent(at, 'job.running', jobId, { botId, fence });
    }
    const acknowledgedAt = acknowledged?.at ?? null;
    const accusation = outcome === 'infrastructure' ? yield* accuseTarget(input) : undefined;
    const reported = { statistics, statisticsAt: now, acknowledgedAt };
    const ending: Ending = accusation
      ? { ...input, outcome: 'failed', message: accusation, final: true }
      : input;
    const moved = outcome === 'completed' ? completed : yield* moveOn(jobId, ending, reported);
    const stateAfter = moved.state;
    const result: Ended = {
      ...{ jobId, fence, acknowledgedAt, now, outcome, message, statistics, stateAfter },
      ...{ trouble, cause: cause || null },
      final: outcome === 'failed' && input.final === true ? 1 : 0,
    };
    if (outcome === 'completed') yield* run(complete, result);
    yield* run(end, result);
    if (outcome === 'infrastructure' && !accusation) yield* avoid(input, moved);
    yield* recordEvent(now, `job.${moved.state}`, jobId, { attempt, fence, outcome });
    const { state, wakes } = moved;
    return { recordedAt: now, state, wakes, ...(accusation && { isTargetToBlame: true }) };
  },
);

/** A job that goes on is for other bots now. */
function* avoid(input: CompleteJobInput, { state }: MovedOn): Steps<void> {
  if (!input.avoid || (state !== 'pending' && state !== 'paused')) return;
  const { jobId, message, now } = input;
  const attempt = yield* one(ended, input);
  if (attempt) yield* avoidBot({ jobId, botId: attempt.bot_id, message, now }, input.avoid);
}

const completed: MovedOn = { state: 'completed', wakes: undefined };

/** The receipt of a result that was recorded earlier. */
function* recordedBefore(input: CompleteJobInput): Steps<CompletedJob> {
  const before = yield* one(ended, input);
  if (!before && !(yield* one(exists, input))) {
    throw new NotFoundError({ resource: 'job', id: input.jobId });
  }
  const isOthers = input.botId !== undefined && before?.bot_id !== input.botId;
  if (before?.state_after == null || before.attempt !== input.attempt || isOthers) {
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
