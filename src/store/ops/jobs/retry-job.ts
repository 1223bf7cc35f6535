import { NotFoundError, PreconditionError } from '../../../core/errors.js';
import { writeOperation } from '../../operation.js';
import { type JobRow, type JobStateName, jobColumns } from '../../rows.js';
import { earlier } from '../../sql.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';

interface RetryJob {
  jobId: string;
  now: number;
}

const revive = statement<RetryJob, JobRow>(`
  UPDATE jobs SET
    state = 'pending', failed_attempts = 0, refused_attempts = 0,
    finished_at = NULL, pause_requested_at = NULL, timed_out_at = NULL,
    delayed = 0, ready_at = NULL, spent_ms = 0, final = 0,
    start_by = @now + start_within_ms,
    close_by = @now + close_within_ms,
    due_at = ${earlier('@now + start_within_ms', '@now + close_within_ms')}
  WHERE id = @jobId AND state = 'dead'
  RETURNING ${jobColumns}`);
const forgive = statement<{ jobId: string }>('DELETE FROM avoided WHERE job_id = @jobId');
const stateOf = statement<{ jobId: string }, { state: JobStateName }>(
  'SELECT state FROM jobs WHERE id = @jobId',
);

/**
 * Revives a dead job: pending, with all its attempts and times again, for every bot. Its
 * history stays, and so do its fences: they go on rising.
 *
 * @throws NotFoundError
 * @throws PreconditionError NOT_DEAD
 */
export const retryJob = writeOperation(
  'retry_job',
  'work',
  function* (input: RetryJob): Steps<JobRow> {
    const { jobId, now } = input;
    const job = yield* one(revive, input);
    if (job) {
      yield* run(forgive, { jobId });
      yield* recordEvent(now, 'job.retried', jobId);
      yield* recordEvent(now, 'job.pending', jobId);
      return job;
    }
    const other = yield* one(stateOf, { jobId });
    if (!other) throw new NotFoundError({ resource: 'job', id: jobId });
    const why = `the job is ${other.state}: only a dead one can be revived`;
    throw new PreconditionError({ reason: 'NOT_DEAD', why });
  },
);
