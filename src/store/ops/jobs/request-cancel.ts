import { writeOperation } from '../../operation.js';
import { type JobRow, jobColumns } from '../../rows.js';
import { one, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';
import { unchangedJob } from './unchanged-job.js';

interface RequestCancel {
  jobId: string;
  now: number;
}

const isIdle = `state IN ('pending', 'paused')`;
const cancel = statement<RequestCancel, JobRow>(`
  UPDATE jobs SET
    cancel_requested_at = @now,
    finished_at = CASE WHEN ${isIdle} THEN @now ELSE finished_at END,
    due_at = CASE WHEN ${isIdle} THEN NULL ELSE due_at END,
    delayed = 0,
    state = CASE WHEN ${isIdle} THEN 'cancelled' ELSE state END
  WHERE id = @jobId AND finished_at IS NULL AND cancel_requested_at IS NULL
  RETURNING ${jobColumns}`);

/**
 * Cancels a job. A job that waits or is paused is cancelled at once; for one that runs the
 * request is recorded, and stands until the attempt ends.
 *
 * @throws NotFoundError
 * @throws PreconditionError JOB_FINISHED when it ended otherwise
 */
export const requestCancel = writeOperation(
  'request_cancel',
  'work',
  function* (input: RequestCancel): Steps<JobRow> {
    const { jobId, now } = input;
    const cancelled = yield* one(cancel, input);
    if (!cancelled) {
      const isFine = (job: JobRow) => job.state === 'cancelled' || job.finished_at === null;
      return yield* unchangedJob(jobId, 'cancel', isFine);
    }
    yield* recordEvent(now, 'job.cancel_requested', jobId);
    if (cancelled.state === 'cancelled') yield* recordEvent(now, 'job.cancelled', jobId);
    return cancelled;
  },
);
