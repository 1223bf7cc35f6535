import { writeOperation } from '../../operation.js';
import { type JobRow, jobColumns } from '../../rows.js';
import { eventRecorder } from '../events/record-event.js';
import { unchangedJob } from './job-finished.js';

/**
 * Wants a job stopped. One that waits or is paused is cancelled here and now;
 * for one that runs the wish is recorded, and stands until the attempt ends.
 *
 * @throws NotFoundError
 * @throws PreconditionError JOB_FINISHED when it ended otherwise
 */
export const requestCancel = writeOperation('request_cancel', 'work', (db) => {
  const cancel = db.prepare<[object], JobRow>(`
      UPDATE jobs SET
        cancel_requested_at = @now,
        finished_at = iif(state IN ('pending', 'paused'), @now, NULL),
        due_at = iif(state IN ('pending', 'paused'), NULL, due_at),
        delayed = 0,
        state = iif(state IN ('pending', 'paused'), 'cancelled', state)
      WHERE id = @jobId AND finished_at IS NULL AND cancel_requested_at IS NULL
      RETURNING ${jobColumns}`);
  const unchanged = unchangedJob(
    db,
    'cancel',
    (job) => job.state === 'cancelled' || job.finished_at === null,
  );
  const recordEvent = eventRecorder(db);

  return ({ jobId, now }: { jobId: string; now: number }): JobRow => {
    const wanted = cancel.get({ jobId, now });
    if (wanted) {
      recordEvent(now, 'job.cancel_requested', jobId);
      if (wanted.state === 'cancelled') recordEvent(now, 'job.cancelled', jobId);
      return wanted;
    }
    return unchanged(jobId);
  };
});
