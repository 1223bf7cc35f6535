import { writeOperation } from '../../operation.js';
import { type JobRow, jobColumns } from '../../rows.js';
import { one, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';
import { unchangedJob } from './unchanged-job.js';

interface PauseJob {
  jobId: string;
  now: number;
}

const pause = statement<PauseJob, JobRow>(`
  UPDATE jobs SET
    pause_requested_at = @now,
    delayed = 0,
    due_at = CASE WHEN state = 'pending' THEN close_by ELSE due_at END,
    state = CASE WHEN state = 'pending' THEN 'paused' ELSE state END
  WHERE id = @jobId AND finished_at IS NULL AND pause_requested_at IS NULL
  RETURNING ${jobColumns}`);

/**
 * Holds a job back. A job that waits is paused at once; for one that runs the request is
 * recorded, and stands until the attempt ends.
 *
 * @throws NotFoundError
 * @throws PreconditionError JOB_FINISHED
 */
export const pauseJob = writeOperation(
  'pause_job',
  'work',
  function* (input: PauseJob): Steps<JobRow> {
    const { jobId, now } = input;
    const paused = yield* one(pause, input);
    if (!paused) return yield* unchangedJob(jobId, 'pause');
    yield* recordEvent(now, 'job.pause_requested', jobId);
    if (paused.state === 'paused') yield* recordEvent(now, 'job.paused', jobId);
    return paused;
  },
);
