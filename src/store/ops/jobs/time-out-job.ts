import { writeOperation } from '../../operation.js';
import { type JobRow, jobColumns } from '../../rows.js';
import { forUpdate } from '../../sql.js';
import { one, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';

interface TimeOutJob {
  jobId: string;
  graceMs: number;
  now: number;
}

const isIdle = `state IN ('pending', 'paused')`;
const select = statement<{ jobId: string }, { timed_out_at: number | null }>(
  `SELECT timed_out_at FROM jobs WHERE id = @jobId ${forUpdate()}`,
);
const timeOut = statement<TimeOutJob, JobRow>(`
  UPDATE jobs SET
    timed_out_at = CASE WHEN state = 'running' THEN coalesce(timed_out_at, @now)
      ELSE timed_out_at END,
    due_at = CASE WHEN state IN ('assigned', 'running') THEN @now + @graceMs END,
    outcome = CASE WHEN ${isIdle} THEN 'timed_out' ELSE outcome END,
    message = CASE
      WHEN state NOT IN ('pending', 'paused') THEN message
      WHEN close_by <= @now THEN 'it was not over within timeouts.schedule_to_close_seconds'
      ELSE 'no bot took it within timeouts.schedule_to_start_seconds' END,
    finished_at = CASE WHEN ${isIdle} THEN @now ELSE finished_at END,
    delayed = 0,
    state = CASE WHEN ${isIdle} THEN 'dead' ELSE state END
  WHERE id = @jobId AND due_at <= @now
  RETURNING ${jobColumns}`);

/**
 * Ends a time of the job's. A job that waits or is paused is dead; one that runs is marked
 * for its bot to stop it, and falls due again after `graceMs`.
 *
 * @returns undefined for a job whose time is not over any more; `again`: it was marked
 *   before, and still runs
 */
export const timeOutJob = writeOperation(
  'time_out_job',
  'result',
  function* (input: TimeOutJob): Steps<{ job: JobRow; again: boolean } | undefined> {
    const before = yield* one(select, input);
    const job = yield* one(timeOut, input);
    if (!job) return undefined;
    const again = before?.timed_out_at !== null && job.state === 'running';
    if (!again) {
      const kind = job.state === 'dead' ? 'job.dead' : 'job.timed_out';
      yield* recordEvent(input.now, kind, job.id, { fence: job.fence });
    }
    return { job, again };
  },
);
