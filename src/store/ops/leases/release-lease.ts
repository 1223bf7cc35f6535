import type { RetryPause } from '../../after-attempt.js';
import { writeOperation } from '../../operation.js';
import type { ReleaseOutcome } from '../../rows.js';
import { run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';
import { lockJob } from '../jobs/lock-job.js';
import { type MovedOn, moveOn } from '../jobs/move-on.js';

interface ReleaseLease extends RetryPause {
  jobId: string;
  fence: number;
  outcome: ReleaseOutcome;
  /** The run's newest statistics, JobStatistics as protobuf JSON; null if there are none. */
  statistics: string | null;
  /** For people: the bot's reason, or what the master observed. */
  message: string;
  /** See `Ending`. */
  whilePreparing?: boolean;
  now: number;
}

const unlease = statement<ReleaseLease>(
  'DELETE FROM leases WHERE job_id = @jobId AND fence = @fence',
);
const end = statement<ReleaseLease>(`
  UPDATE attempts SET ended_at = @now, outcome = @outcome, message = @message,
    statistics = @statistics
  WHERE job_id = @jobId AND fence = @fence`);

/**
 * Takes a lease back without a result: the bot refused the offer, did not answer it, was
 * lost, or did not stop a run whose time was over.
 *
 * @returns undefined for a lease that is no longer valid
 */
export const releaseLease = writeOperation(
  'release_lease',
  'result',
  function* (input: ReleaseLease): Steps<MovedOn | undefined> {
    const { jobId, fence, outcome, statistics, now } = input;
    yield* lockJob(jobId);
    if ((yield* run(unlease, input)) === 0) return undefined;
    const moved = yield* moveOn(jobId, input, { statistics, acknowledgedAt: null });
    yield* run(end, input);
    yield* recordEvent(now, `job.${moved.state}`, jobId, { fence, outcome });
    return moved;
  },
);
