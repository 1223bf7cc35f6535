import { writeOperation } from '../../operation.js';
import { type JobRow, jobColumns } from '../../rows.js';
import { earlier, flag, greatest } from '../../sql.js';
import { one, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';
import { unchangedJob } from './unchanged-job.js';

interface ResumeJob {
  jobId: string;
  now: number;
}

const startBy = `${greatest('coalesce(ready_at, @now)', '@now')} + start_within_ms`;
const resume = statement<ResumeJob, JobRow>(`
  UPDATE jobs SET
    pause_requested_at = NULL,
    delayed = ${flag(`state = 'paused' AND ready_at > @now`)},
    start_by = CASE WHEN state = 'paused' THEN ${startBy} ELSE start_by END,
    due_at = CASE WHEN state = 'paused' THEN ${earlier(startBy, 'close_by')} ELSE due_at END,
    state = CASE WHEN state = 'paused' THEN 'pending' ELSE state END
  WHERE id = @jobId AND finished_at IS NULL AND pause_requested_at IS NOT NULL
  RETURNING ${jobColumns}`);

/**
 * Lets a paused job wait for its turn again. For a job that runs the request for a pause
 * is withdrawn: if its bot has stopped it already, it starts anew.
 *
 * @throws NotFoundError
 * @throws PreconditionError JOB_FINISHED
 */
export const resumeJob = writeOperation(
  'resume_job',
  'work',
  function* (input: ResumeJob): Steps<JobRow> {
    const { jobId, now } = input;
    const resumed = yield* one(resume, input);
    if (!resumed) return yield* unchangedJob(jobId, 'resume');
    yield* recordEvent(now, 'job.resume_requested', jobId);
    if (resumed.state === 'pending') yield* recordEvent(now, 'job.pending', jobId);
    return resumed;
  },
);
