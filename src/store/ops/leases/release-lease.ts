import type { Ending, RetryPause } from '../../after-attempt.js';
import { writeOperation } from '../../operation.js';
import type { ReleaseOutcome, StartTroubleName } from '../../rows.js';
import { ofMaster } from '../../sql.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';
import { accuseTarget } from '../jobs/accuse-target.js';
import { type AvoidTimes, avoidBot } from '../jobs/avoid-bot.js';
import { lockJob } from '../jobs/lock-job.js';
import { type MovedOn, moveOn } from '../jobs/move-on.js';

export interface ReleaseLease extends RetryPause {
  jobId: string;
  fence: number;
  /** The master of a cluster that found it over: if another one watches it by now, it is not. */
  master?: number | undefined;
  outcome: ReleaseOutcome;
  /** The run's newest statistics, JobStatistics as protobuf JSON; null if there are none. */
  statistics: string | null;
  /** When the bot reported them. */
  statisticsAt?: number | null;
  /** What keeps the bot from starting it, of a refusal for that. */
  trouble?: StartTroubleName | null;
  cause?: string;
  /** The job's build has run on some bot. */
  isProven?: boolean;
  /** The job is for other bots now. */
  avoid?: AvoidTimes;
  /** For people: the bot's reason, or what the master observed. */
  message: string;
  /** See `Ending`. */
  whilePreparing?: boolean;
  now: number;
}

type EndedAttempt = Omit<ReleaseLease, 'cause'> & {
  trouble: StartTroubleName | null;
  cause: string | null;
};

const unlease = statement<{ jobId: string; fence: number; master: number | null }>(
  `DELETE FROM leases WHERE job_id = @jobId AND fence = @fence ${ofMaster}`,
);
/** Statistics that are on disk only are of this attempt: the claim has removed earlier ones. */
const end = statement<EndedAttempt>(`
  UPDATE attempts SET ended_at = @now, outcome = @outcome, message = @message,
    statistics = coalesce(@statistics, (SELECT statistics FROM jobs WHERE id = @jobId)),
    trouble = @trouble, cause = @cause
  WHERE job_id = @jobId AND fence = @fence`);
const holder = statement<{ jobId: string; fence: number }, { bot_id: string }>(
  'SELECT bot_id FROM attempts WHERE job_id = @jobId AND fence = @fence',
);

/**
 * Takes a lease back without a result: the bot refused the offer, did not answer it, was
 * lost, or did not stop a run that was to end.
 *
 * @returns undefined for a lease that is no longer valid
 */
export const releaseLease = writeOperation(
  'release_lease',
  'result',
  function* (input: ReleaseLease): Steps<MovedOn | undefined> {
    const { jobId, fence, outcome, statistics, statisticsAt = null, now } = input;
    const { trouble = null, cause } = input;
    yield* lockJob(jobId);
    if ((yield* run(unlease, { jobId, fence, master: input.master ?? null })) === 0)
      return undefined;
    const accusation = yield* accuseTarget(input);
    const ending: Ending = accusation
      ? { ...input, outcome: 'failed', message: accusation, final: true }
      : input;
    const moved = yield* moveOn(jobId, ending, { statistics, statisticsAt, acknowledgedAt: null });
    yield* run(end, { ...input, trouble, cause: cause || null });
    if (input.avoid && !accusation && moved.state !== 'cancelled' && moved.state !== 'dead') {
      const { bot_id: botId } = (yield* one(holder, input)) as { bot_id: string };
      yield* avoidBot({ jobId, botId, message: input.message, now }, input.avoid);
    }
    yield* recordEvent(now, `job.${moved.state}`, jobId, { fence, outcome });
    return moved;
  },
);
