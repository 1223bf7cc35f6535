import { writeOperation } from '../../operation.js';
import { type JobRow, jobColumns } from '../../rows.js';
import { earlier } from '../../sql.js';
import { eventRecorder } from '../events/record-event.js';
import { unchangedJob } from './job-finished.js';

/**
 * Lets a paused job wait for its turn again. From one that runs the wish for a
 * pause is taken back: if its bot has stopped it already, it starts anew.
 *
 * @throws NotFoundError
 * @throws PreconditionError JOB_FINISHED
 */
export const resumeJob = writeOperation('resume_job', 'work', (db) => {
  const resume = db.prepare<[object], JobRow>(`
      UPDATE jobs SET
        pause_requested_at = NULL,
        delayed = state = 'paused' AND coalesce(ready_at > @now, 0),
        start_by = iif(state = 'paused', max(coalesce(ready_at, @now), @now) + start_within_ms, start_by),
        due_at = iif(state = 'paused',
          ${earlier('max(coalesce(ready_at, @now), @now) + start_within_ms', 'close_by')}, due_at),
        state = iif(state = 'paused', 'pending', state)
      WHERE id = @jobId AND finished_at IS NULL AND pause_requested_at IS NOT NULL
      RETURNING ${jobColumns}`);
  const unchanged = unchangedJob(db, 'resume');
  const recordEvent = eventRecorder(db);

  return ({ jobId, now }: { jobId: string; now: number }): JobRow => {
    const resumed = resume.get({ jobId, now });
    if (resumed) {
      recordEvent(now, 'job.resume_requested', jobId);
      if (resumed.state === 'pending') recordEvent(now, 'job.pending', jobId);
      return resumed;
    }
    return unchanged(jobId);
  };
});
