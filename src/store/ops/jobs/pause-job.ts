import { writeOperation } from '../../operation.js';
import { type JobRow, jobColumns } from '../../rows.js';
import { eventRecorder } from '../events/record-event.js';
import { unchangedJob } from './job-finished.js';

/**
 * Holds a job back. One that waits is paused here and now; for one that runs the
 * wish is recorded, and stands until the attempt ends.
 *
 * @throws NotFoundError
 * @throws PreconditionError JOB_FINISHED
 */
export const pauseJob = writeOperation('pause_job', 'work', (db) => {
  const pause = db.prepare<[object], JobRow>(`
      UPDATE jobs SET
        pause_requested_at = @now,
        delayed = 0,
        due_at = iif(state = 'pending', close_by, due_at),
        state = iif(state = 'pending', 'paused', state)
      WHERE id = @jobId AND finished_at IS NULL AND pause_requested_at IS NULL
      RETURNING ${jobColumns}`);
  const unchanged = unchangedJob(db, 'pause');
  const recordEvent = eventRecorder(db);

  return ({ jobId, now }: { jobId: string; now: number }): JobRow => {
    const wanted = pause.get({ jobId, now });
    if (wanted) {
      recordEvent(now, 'job.pause_requested', jobId);
      if (wanted.state === 'paused') recordEvent(now, 'job.paused', jobId);
      return wanted;
    }
    return unchanged(jobId);
  };
});
