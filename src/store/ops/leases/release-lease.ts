import type { RetryPause } from '../../after-attempt.js';
import { writeOperation } from '../../operation.js';
import type { ReleaseOutcome } from '../../rows.js';
import { eventRecorder } from '../events/record-event.js';
import { jobMover, type MovedOn } from '../jobs/move-on.js';

/**
 * Takes a lease back without a result: the bot refused the offer, did not
 * answer it, was lost, or did not stop a run whose time was over. A lease that is
 * no longer valid: undefined.
 */
export const releaseLease = writeOperation('release_lease', 'result', (db) => {
  const unlease = db.prepare<[object]>(
    'DELETE FROM leases WHERE job_id = @jobId AND fence = @fence',
  );
  const end = db.prepare<[object]>(`
      UPDATE attempts SET ended_at = @now, outcome = @outcome, message = @message,
        statistics = @statistics
      WHERE job_id = @jobId AND fence = @fence`);
  const moveOn = jobMover(db);
  const recordEvent = eventRecorder(db);

  return (
    input: RetryPause & {
      jobId: string;
      fence: number;
      outcome: ReleaseOutcome;
      /** What was told last of the run, JobStatistics as protobuf JSON; null if nothing was. */
      statistics: string | null;
      /** For people; what the bot gave as its reason, or what the master saw. */
      message: string;
      now: number;
    },
  ): MovedOn | undefined => {
    const { jobId, fence, outcome, statistics, message, now } = input;
    if (unlease.run({ jobId, fence }).changes === 0) return undefined;
    const moved = moveOn(jobId, input, { statistics, acknowledgedAt: null });
    end.run({ jobId, fence, outcome, statistics, message, now });
    recordEvent(now, `job.${moved.state}`, jobId, { fence, outcome });
    return moved;
  };
});
