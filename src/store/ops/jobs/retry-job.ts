import { NotFoundError, PreconditionError } from '../../../core/errors.js';
import { writeOperation } from '../../operation.js';
import { type JobRow, jobColumns } from '../../rows.js';
import { earlier } from '../../sql.js';
import { eventRecorder } from '../events/record-event.js';

/**
 * Revives a dead job: pending, with all its attempts and times again. Its
 * history stays, and so do its fences: they go on rising.
 *
 * @throws NotFoundError
 * @throws PreconditionError NOT_DEAD
 */
export const retryJob = writeOperation('retry_job', 'work', (db) => {
  const revive = db.prepare<[object], JobRow>(`
      UPDATE jobs SET
        state = 'pending', failed_attempts = 0, refused_attempts = 0,
        finished_at = NULL, pause_requested_at = NULL, timed_out_at = NULL,
        delayed = 0, ready_at = NULL,
        start_by = @now + start_within_ms,
        close_by = @now + close_within_ms,
        due_at = ${earlier('@now + start_within_ms', '@now + close_within_ms')}
      WHERE id = @jobId AND state = 'dead'
      RETURNING ${jobColumns}`);
  const exists = db.prepare<[string], { state: string }>('SELECT state FROM jobs WHERE id = ?');
  const recordEvent = eventRecorder(db);

  return ({ jobId, now }: { jobId: string; now: number }): JobRow => {
    const job = revive.get({ jobId, now });
    if (job) {
      recordEvent(now, 'job.retried', jobId);
      recordEvent(now, 'job.pending', jobId);
      return job;
    }
    const other = exists.get(jobId);
    if (!other) throw new NotFoundError({ resource: 'job', id: jobId });
    const why = `the job is ${other.state}: only a dead one can be revived`;
    throw new PreconditionError({ reason: 'NOT_DEAD', why });
  };
});
