import { writeOperation } from '../../operation.js';
import { type JobRow, jobColumns } from '../../rows.js';
import { eventRecorder } from '../events/record-event.js';

/**
 * A time of the job's is over. One that waits or is paused is dead; of one that
 * runs it is recorded that it is to be stopped, and looked at again after
 * `graceMs`, for a bot that does not.
 *
 * @returns undefined for a job whose time is not over any more; `again`: it was
 *   to be stopped before, and has not been
 */
export const timeOutJob = writeOperation('time_out_job', 'result', (db) => {
  const select = db
    .prepare<[string], number | null>('SELECT timed_out_at FROM jobs WHERE id = ?')
    .pluck();
  const timeOut = db.prepare<[object], JobRow>(`
      UPDATE jobs SET
        timed_out_at = iif(state = 'running', coalesce(timed_out_at, @now), timed_out_at),
        due_at = iif(state IN ('assigned', 'running'), @now + @graceMs, NULL),
        outcome = iif(state IN ('pending', 'paused'), 'timed_out', outcome),
        message = CASE
          WHEN state NOT IN ('pending', 'paused') THEN message
          WHEN close_by <= @now THEN 'it was not over within timeouts.schedule_to_close_seconds'
          ELSE 'no bot took it within timeouts.schedule_to_start_seconds' END,
        finished_at = iif(state IN ('pending', 'paused'), @now, NULL),
        delayed = 0,
        state = iif(state IN ('pending', 'paused'), 'dead', state)
      WHERE id = @jobId AND due_at <= @now
      RETURNING ${jobColumns}`);
  const recordEvent = eventRecorder(db);

  return (input: {
    jobId: string;
    graceMs: number;
    now: number;
  }): { job: JobRow; again: boolean } | undefined => {
    const before = select.get(input.jobId);
    const job = timeOut.get(input);
    if (!job) return undefined;
    const again = before !== null && job.state === 'running';
    if (!again) {
      const kind = job.state === 'dead' ? 'job.dead' : 'job.timed_out';
      recordEvent(input.now, kind, job.id, { fence: job.fence });
    }
    return { job, again };
  };
});
