import { NotFoundError, StaleLeaseError } from '../../../core/errors.js';
import { one, type Steps, statement } from '../../statement.js';
import { lockJob } from '../jobs/lock-job.js';

export interface LeaseOf {
  jobId: string;
  attempt: number;
  fence: number;
}

/** The job of a valid lease. */
export interface HeldJob {
  project: string;
  target_name: string;
  target_sha256: string;
  engine: string;
  kind: string;
}

const held = statement<LeaseOf, HeldJob>(`
  SELECT project, target_name, target_sha256, engine, kind
  FROM leases JOIN jobs ON jobs.id = leases.job_id
  WHERE leases.job_id = @jobId AND leases.fence = @fence AND leases.attempt = @attempt`);
const exists = statement<{ jobId: string }, unknown>('SELECT 1 FROM jobs WHERE id = @jobId');

/**
 * Locks the job of a lease.
 *
 * @throws StaleLeaseError, NotFoundError (job)
 */
export function* heldJob({ jobId, attempt, fence }: LeaseOf): Steps<HeldJob> {
  yield* lockJob(jobId);
  const job = yield* one(held, { jobId, attempt, fence });
  if (job) return job;
  if (!(yield* one(exists, { jobId }))) throw new NotFoundError({ resource: 'job', id: jobId });
  throw new StaleLeaseError({ jobId, attempt, fence });
}
