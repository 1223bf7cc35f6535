import { readOperation } from '../../operation.js';
import { type AttemptRow, type JobRow, jobColumns } from '../../rows.js';
import { all, one, type Steps, statement } from '../../statement.js';

interface ShowJob {
  jobId: string;
  attempts: number;
}

interface ShownJob {
  job: JobRow;
  attempts: AttemptRow[];
}

const select = statement<{ jobId: string }, JobRow>(
  `SELECT ${jobColumns} FROM jobs WHERE id = @jobId`,
);
const last = statement<ShowJob, AttemptRow>(`
  SELECT attempt, fence, bot_id, assigned_at, acknowledged_at, ended_at, outcome, message,
    statistics, trouble, cause, final
  FROM attempts WHERE job_id = @jobId ORDER BY fence DESC LIMIT @attempts`);

/** A job with its last `attempts` leases, the newest first; one call, as it is made often. */
export const showJob = readOperation('show_job', function* (input: ShowJob): Steps<
  ShownJob | undefined
> {
  const job = yield* one(select, input);
  if (!job) return undefined;
  return { job, attempts: job.fence > 0 ? yield* all(last, input) : [] };
});
