import { NotFoundError, PreconditionError } from '../../../core/errors.js';
import { type JobRow, jobColumns } from '../../rows.js';
import { one, type Steps, statement } from '../../statement.js';

const select = statement<{ jobId: string }, JobRow>(
  `SELECT ${jobColumns} FROM jobs WHERE id = @jobId`,
);

/**
 * The job as it is, for a request that changed nothing because it was so already.
 *
 * @param verb as in "there is nothing to cancel"
 * @throws NotFoundError
 * @throws PreconditionError JOB_FINISHED when the request comes too late
 */
export function* unchangedJob(
  jobId: string,
  verb: string,
  isFine = (job: JobRow) => job.finished_at === null,
): Steps<JobRow> {
  const job = yield* one(select, { jobId });
  if (!job) throw new NotFoundError({ resource: 'job', id: jobId });
  if (isFine(job)) return job;
  const why = `the job is ${job.state} already: there is nothing to ${verb}`;
  throw new PreconditionError({ reason: 'JOB_FINISHED', why });
}
