import { StaleLeaseError } from '../../../core/errors.js';
import { writeOperation } from '../../operation.js';
import { earlier } from '../../sql.js';
import { run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';
import { lockJob } from '../jobs/lock-job.js';

export interface AcknowledgeLease {
  jobId: string;
  attempt: number;
  fence: number;
  botId: string;
  now: number;
}

const lease = statement<AcknowledgeLease>(`
  UPDATE leases SET acknowledged_at = coalesce(acknowledged_at, @now)
  WHERE job_id = @jobId AND fence = @fence AND bot_id = @botId`);
const job = statement<AcknowledgeLease>(`
  UPDATE jobs SET
    state = 'running',
    started_at = coalesce(started_at, @now),
    due_at = ${earlier('@now + run_within_ms', 'close_by')}
  WHERE id = @jobId AND fence = @fence AND state = 'assigned'`);
const attempt = statement<AcknowledgeLease>(`
  UPDATE attempts SET acknowledged_at = @now
  WHERE job_id = @jobId AND fence = @fence AND acknowledged_at IS NULL`);

/**
 * Records that the bot took the job it was offered. A second time is no error.
 *
 * @throws StaleLeaseError
 */
export const acknowledgeLease = writeOperation(
  'acknowledge_lease',
  'result',
  function* (input: AcknowledgeLease): Steps<void> {
    const { jobId, fence, botId, now } = input;
    yield* lockJob(jobId);
    if ((yield* run(lease, input)) === 0) throw new StaleLeaseError(input);
    if ((yield* run(job, input)) === 0) return;
    yield* run(attempt, input);
    yield* recordEvent(now, 'job.running', jobId, { botId, fence });
  },
);
