import { writeOperation } from '../../operation.js';
import type { ClaimedJob, JobRow } from '../../rows.js';
import { earlier, forUpdate, integersOf } from '../../sql.js';
import { all, one, run, type Step, type Steps, statement } from '../../statement.js';
import { addStatistics } from '../../statistics.js';
import { makeRun, type NewRun } from '../campaigns/make-run.js';
import { recordEvent } from '../events/record-event.js';

export type JobToClaim = Omit<ClaimedJob, 'attempt'> &
  Pick<JobRow, 'failed_attempts' | 'refused_attempts' | 'statistics' | 'earlier_statistics'> & {
    /** Of the epoch: fences are above it. */
    fence_base: number;
  };

export interface ClaimJob {
  botId: string;
  /** Ids of the queues that the bot may be given jobs of. */
  queues: readonly number[];
  ttlMs: number;
  /** The claim itself is the acknowledgement (AssignJob). */
  acknowledged: boolean;
  /** The run that a campaign makes if no job waits. */
  run?: NewRun;
  /** Of a cluster, where others claim for the campaign as well: as many may run at once. */
  limit?: { campaign: string; most: number };
  now: number;
}

type Claim = Steps<ClaimedJob | undefined>;

export interface Grant {
  jobId: string;
  attempt: number;
  fence: number;
  botId: string;
  now: number;
  acknowledgedAt: number | null;
  ttlMs: number;
  pulled: 0 | 1;
  /** Statistics of all attempts before. */
  earlier: string | null;
}

export const columnsToClaim = `id, campaign, fence, failed_attempts, refused_attempts, spec,
  cancel_requested_at, pause_requested_at, timed_out_at, statistics, earlier_statistics,
  queue_id, target_sha256, project, target_name, engine, fuzz_within_ms, spent_ms,
  (SELECT fence_base FROM epochs WHERE epochs.id = 1) AS fence_base`;
export const waits = `state = 'pending' AND delayed = 0`;

// Cast, or SQLite would prepare the statement anew for each value: 65 us.
const nextOfOne = statement<{ queue: number }, JobToClaim>(`
  SELECT ${columnsToClaim} FROM jobs
  WHERE ${waits} AND queue_id = CAST(@queue AS INTEGER)
  ORDER BY priority DESC, id LIMIT 1 ${forUpdate('skip')}`);
const nextOfMany = statement<{ queues: string }, JobToClaim>(`
  SELECT ${columnsToClaim} FROM jobs
  WHERE id IN (
    SELECT (SELECT id FROM jobs
      WHERE ${waits} AND queue_id = queue.value
      ORDER BY priority DESC, id LIMIT 1)
    FROM ${integersOf('@queues')} AS queue)
  AND ${waits}
  ORDER BY priority DESC, id LIMIT 1 ${forUpdate('skip')}`);
const byId = statement<{ id: string }, JobToClaim>(
  `SELECT ${columnsToClaim} FROM jobs WHERE id = @id`,
);
const isAvoided = statement<{ jobId: string; botId: string }, unknown>(
  'SELECT 1 FROM avoided WHERE bot_id = @botId AND job_id = @jobId AND active = 1',
);
/** Only for bots that some job avoids. Of these jobs there are few, so few are passed over. */
const nextNotAvoided = statement<{ queues: string; botId: string }, JobToClaim>(`
  SELECT ${columnsToClaim} FROM jobs
  WHERE id IN (
    SELECT (SELECT id FROM jobs
      WHERE ${waits} AND queue_id = queue.value
        AND NOT EXISTS (SELECT 1 FROM avoided
          WHERE avoided.bot_id = @botId AND avoided.job_id = jobs.id AND active = 1)
      ORDER BY priority DESC, id LIMIT 1)
    FROM ${integersOf('@queues')} AS queue)
  AND ${waits}
  ORDER BY priority DESC, id LIMIT 1 ${forUpdate('skip')}`);
/** For a cluster alone. */
const runningOf = statement<{ campaign: string; most: number }, { running: number }>({
  sqlite: null,
  postgres: `SELECT count(*) AS running FROM (
    SELECT 1 FROM leases JOIN jobs ON jobs.id = leases.job_id
    WHERE jobs.campaign = @campaign LIMIT @most) AS counted`,
});
const leftIn = statement<{ queueId: number }, { pending: number }>(
  'SELECT pending FROM queues WHERE id = @queueId',
);
const inputsOf = statement<{ jobId: string }, { input_sha256: string }>(
  'SELECT input_sha256 FROM crashes WHERE job_id = @jobId ORDER BY id LIMIT 1000',
);
// After a SELECT: RETURNING keeps rows in a table of its own, 2 us each time.
const offer = statement<Grant>(`
  UPDATE jobs SET state = 'assigned', attempt = @attempt, fence = @fence, bot_id = @botId,
    cancel_acknowledged_at = NULL, due_at = close_by, statistics = NULL,
    earlier_statistics = @earlier
  WHERE id = @jobId`);
const start = statement<Grant>(`
  UPDATE jobs SET state = 'running', attempt = @attempt, fence = @fence, bot_id = @botId,
    cancel_acknowledged_at = NULL, started_at = coalesce(started_at, @now),
    due_at = ${earlier('@now + run_within_ms', 'close_by')}, statistics = NULL,
    earlier_statistics = @earlier
  WHERE id = @jobId`);
const lease = statement<Grant>(`
  INSERT INTO leases (job_id, attempt, fence, bot_id, assigned_at, acknowledged_at, ttl_ms,
    pulled)
  VALUES (@jobId, @attempt, @fence, @botId, @now, @acknowledgedAt, @ttlMs, @pulled)`);
const record = statement<Grant>(`
  INSERT INTO attempts (job_id, attempt, fence, bot_id, assigned_at, acknowledged_at)
  VALUES (@jobId, @attempt, @fence, @botId, @now, @acknowledgedAt)`);

/**
 * Hands the next job of any of `queues` to a bot: highest priority first, then oldest,
 * without those that the bot could not start before. If there is none, a campaign's run is
 * made and handed out. The fence rises in the transaction that takes the job, so no two claims ever get the same
 * job, and every message under an earlier lease is stale from then on.
 */
export const claimJob = writeOperation('claim_job', 'work', function* (input: ClaimJob): Claim {
  if (input.limit && (yield* one(runningOf, input.limit))?.running === input.limit.most) {
    return undefined;
  }
  const job = (yield* nextFor(input.botId, input.queues)) ?? (yield* madeRun(input.run));
  if (!job) return undefined;
  const { botId, acknowledged, now } = input;
  const { grant, known } = grantOf(job, input);
  const { jobId, attempt, fence } = grant;
  yield* run(acknowledged ? start : offer, grant);
  yield* run(lease, grant);
  yield* run(record, grant);
  yield* recordEvent(now, 'job.assigned', jobId, { botId, attempt, fence });
  if (acknowledged) yield* recordEvent(now, 'job.running', jobId, { botId, fence });
  const left = yield* one(leftIn, { queueId: job.queue_id as number });
  const claimed = { ...known, id: jobId, attempt, fence, left_in_queue: left?.pending ?? 0 };
  if (job.fence === 0 || !limitsCrashes(job.spec)) return claimed;
  const inputs = yield* all(inputsOf, { jobId });
  return { ...claimed, known_inputs: inputs.map(({ input_sha256 }) => input_sha256) };
});

/** The lease that a claim gives of a job, and what else its claimer learns of the job. */
export function grantOf(job: JobToClaim, { botId, ttlMs, acknowledged, now }: ClaimJob) {
  const { id: jobId, failed_attempts, refused_attempts, statistics, ...rest } = job;
  const { earlier_statistics, fence_base, ...known } = rest;
  const fence = Math.max(job.fence, fence_base) + 1;
  const attempt = failed_attempts + refused_attempts + 1;
  const acknowledgedAt = acknowledged ? now : null;
  const pulled = acknowledged ? 1 : 0;
  const earlier = addStatistics(earlier_statistics, statistics);
  const grant: Grant = {
    ...{ jobId, attempt, fence, botId, now, acknowledgedAt, ttlMs, pulled, earlier },
  };
  return { grant, known };
}

function* madeRun(planned: NewRun | undefined): Steps<JobToClaim | undefined> {
  if (!planned || !(yield* makeRun(planned))) return undefined;
  return yield* one(byId, { id: planned.job.id });
}

const limitsCrashes = (spec: string): boolean => JSON.parse(spec).limits?.maxCrashes > 0;

function* nextFor(botId: string, queues: readonly number[]): Steps<JobToClaim | undefined> {
  const job = yield* nextOf(queues);
  // A job that was never handed out avoids nobody.
  if (!job || job.fence === 0) return job;
  if (!(yield* one(isAvoided, { jobId: job.id, botId }))) return job;
  return yield* one(nextNotAvoided, { queues: JSON.stringify(queues), botId });
}

function nextOf(queues: readonly number[]): Step<JobToClaim | undefined> {
  const [queue] = queues;
  return queue !== undefined && queues.length === 1
    ? one(nextOfOne, { queue })
    : one(nextOfMany, { queues: JSON.stringify(queues) });
}
