import { writeOperation } from '../../operation.js';
import type { ClaimedJob, JobRow } from '../../rows.js';
import { earlier, forUpdate, integersOf } from '../../sql.js';
import { one, run, type Step, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';

type JobToClaim = Omit<ClaimedJob, 'attempt'> &
  Pick<JobRow, 'failed_attempts' | 'refused_attempts'>;

interface ClaimJob {
  botId: string;
  /** Ids of the queues that the bot may be given jobs of. */
  queues: readonly number[];
  ttlMs: number;
  /** The claim itself is the acknowledgement (AssignJob). */
  acknowledged: boolean;
  now: number;
}

type Claim = Steps<ClaimedJob | undefined>;

interface Grant {
  jobId: string;
  attempt: number;
  fence: number;
  botId: string;
  now: number;
  acknowledgedAt: number | null;
  ttlMs: number;
  pulled: 0 | 1;
}

const columns = `id, campaign, fence, failed_attempts, refused_attempts, spec,
  cancel_requested_at, pause_requested_at, timed_out_at`;
const waits = `state = 'pending' AND delayed = 0`;

// Cast, or SQLite would prepare the statement anew for each value: 65 us.
const nextOfOne = statement<{ queue: number }, JobToClaim>(`
  SELECT ${columns} FROM jobs
  WHERE ${waits} AND queue_id = CAST(@queue AS INTEGER)
  ORDER BY priority DESC, id LIMIT 1 ${forUpdate('skip')}`);
const nextOfMany = statement<{ queues: string }, JobToClaim>(`
  SELECT ${columns} FROM jobs
  WHERE id IN (
    SELECT (SELECT id FROM jobs
      WHERE ${waits} AND queue_id = queue.value
      ORDER BY priority DESC, id LIMIT 1)
    FROM ${integersOf('@queues')} AS queue)
  AND ${waits}
  ORDER BY priority DESC, id LIMIT 1 ${forUpdate('skip')}`);
// After a SELECT: RETURNING keeps rows in a table of its own, 2 us each time.
const offer = statement<Grant>(`
  UPDATE jobs SET state = 'assigned', attempt = @attempt, fence = @fence, bot_id = @botId,
    cancel_acknowledged_at = NULL, due_at = close_by
  WHERE id = @jobId`);
const start = statement<Grant>(`
  UPDATE jobs SET state = 'running', attempt = @attempt, fence = @fence, bot_id = @botId,
    cancel_acknowledged_at = NULL, started_at = coalesce(started_at, @now),
    due_at = ${earlier('@now + run_within_ms', 'close_by')}
  WHERE id = @jobId`);
const lease = statement<Grant>(`
  INSERT INTO leases (job_id, attempt, fence, bot_id, assigned_at, acknowledged_at, ttl_ms,
    pulled)
  VALUES (@jobId, @attempt, @fence, @botId, @now, @acknowledgedAt, @ttlMs, @pulled)`);
const record = statement<Grant>(`
  INSERT INTO attempts (job_id, attempt, fence, bot_id, assigned_at, acknowledged_at)
  VALUES (@jobId, @attempt, @fence, @botId, @now, @acknowledgedAt)`);

/**
 * Hands the next job of any of `queues` to a bot: highest priority first, then oldest. The
 * fence rises in the transaction that takes the job, so no two claims ever get the same
 * job, and every message under an earlier lease is stale from then on.
 */
export const claimJob = writeOperation('claim_job', 'work', function* (input: ClaimJob): Claim {
  const job = yield* nextOf(input.queues);
  if (!job) return undefined;
  const { botId, ttlMs, acknowledged, now } = input;
  const { id: jobId, failed_attempts, refused_attempts, ...known } = job;
  const fence = job.fence + 1;
  const attempt = failed_attempts + refused_attempts + 1;
  const acknowledgedAt = acknowledged ? now : null;
  const pulled = acknowledged ? 1 : 0;
  const grant: Grant = { jobId, attempt, fence, botId, now, acknowledgedAt, ttlMs, pulled };
  yield* run(acknowledged ? start : offer, grant);
  yield* run(lease, grant);
  yield* run(record, grant);
  yield* recordEvent(now, 'job.assigned', jobId, { botId, attempt, fence });
  if (acknowledged) yield* recordEvent(now, 'job.running', jobId, { botId, fence });
  return { ...known, id: jobId, attempt, fence };
});

function nextOf(queues: readonly number[]): Step<JobToClaim | undefined> {
  const [queue] = queues;
  return queue !== undefined && queues.length === 1
    ? one(nextOfOne, { queue })
    : one(nextOfMany, { queues: JSON.stringify(queues) });
}
