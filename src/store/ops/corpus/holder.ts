import { NotFoundError, StaleLeaseError } from '../../../core/errors.js';
import { one, type Steps, statement } from '../../statement.js';
import { lockJob } from '../jobs/lock-job.js';

export interface LeaseOf {
  jobId: string;
  attempt: number;
  fence: number;
  /** The bot that calls, where it is known: it has to hold the lease. */
  botId?: string;
}

/** The job of a valid lease. */
export interface HeldJob {
  project: string;
  target_name: string;
  target_sha256: string;
  engine: string;
  kind: string;
}

const held = statement<LeaseOf & { botId: string }, HeldJob>(`
  SELECT project, target_name, target_sha256, engine, kind
  FROM leases JOIN jobs ON jobs.id = leases.job_id
  WHERE leases.job_id = @jobId AND leases.fence = @fence AND leases.attempt = @attempt
    AND (@botId = '' OR leases.bot_id = @botId)`);
const exists = statement<{ jobId: string }, unknown>('SELECT 1 FROM jobs WHERE id = @jobId');

/**
 * Locks the job of a lease.
 *
 * @throws StaleLeaseError, NotFoundError (job)
 */
export function* heldJob({ jobId, attempt, fence, botId = '' }: LeaseOf): Steps<HeldJob> {
  yield* lockJob(jobId);
  const job = yield* one(held, { jobId, attempt, fence, botId });
  if (job) return job;
  if (!(yield* one(exists, { jobId }))) throw new NotFoundError({ resource: 'job', id: jobId });
  throw new StaleLeaseError({ jobId, attempt, fence });
}
