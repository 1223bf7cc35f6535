import type { Database } from 'better-sqlite3';
import { NotFoundError, PreconditionError } from '../../../core/errors.js';
import { type JobRow, jobColumns } from '../../rows.js';

/**
 * For wishes that changed nothing: the job as it is, because it is so already.
 *
 * @param verb as in "there is nothing to cancel"
 * @throws NotFoundError
 * @throws PreconditionError JOB_FINISHED when the wish comes too late
 */
export function unchangedJob(
  db: Database,
  verb: string,
  isFine = (job: JobRow) => job.finished_at === null,
) {
  const select = db.prepare<[string], JobRow>(`SELECT ${jobColumns} FROM jobs WHERE id = ?`);
  return (jobId: string): JobRow => {
    const job = select.get(jobId);
    if (!job) throw new NotFoundError({ resource: 'job', id: jobId });
    if (isFine(job)) return job;
    const why = `the job is ${job.state} already: there is nothing to ${verb}`;
    throw new PreconditionError({ reason: 'JOB_FINISHED', why });
  };
}
