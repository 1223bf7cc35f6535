import {
  type ClaimJob,
  claimJob,
  columnsToClaim,
  type Grant,
  grantOf,
  type JobToClaim,
  waits,
} from '../../ops/scheduling/claim-job.js';
import type { ClaimedJob } from '../../rows.js';
import type { Session } from '../session.js';
import { storable } from '../storable.js';
import { type OperationSet, setStatement } from './set.js';

/** `pending` is of the job's queue, before the claims. */
type Candidate = JobToClaim & { readonly pending: number };

const next = {
  name: 'set_next_jobs',
  text: `
  SELECT ${columnsToClaim},
    (SELECT pending FROM queues WHERE queues.id = jobs.queue_id) AS pending
  FROM jobs
  WHERE id IN (
    SELECT first.id FROM unnest(CAST($1 AS integer[])) AS queue (id), LATERAL (
      SELECT jobs.id FROM jobs WHERE ${waits} AND queue_id = queue.id
      ORDER BY priority DESC, jobs.id LIMIT $2) AS first)
  AND ${waits}
  ORDER BY priority DESC, id LIMIT $2 FOR UPDATE SKIP LOCKED`,
};

const grants = setStatement(
  'set_grant',
  {
    job_id: 'text',
    attempt: 'bigint',
    fence: 'bigint',
    bot_id: 'text',
    now: 'bigint',
    ttl_ms: 'bigint',
    detail: 'text',
  },
  `
  WITH input AS (SELECT * FROM INPUT),
  moved AS (
    UPDATE jobs SET state = 'assigned', attempt = input.attempt, fence = input.fence,
      bot_id = input.bot_id, cancel_acknowledged_at = NULL, due_at = jobs.close_by,
      statistics = NULL, earlier_statistics = NULL
    FROM input WHERE jobs.id = input.job_id),
  leased AS (
    INSERT INTO leases (job_id, attempt, fence, bot_id, assigned_at, acknowledged_at, ttl_ms,
      pulled)
    SELECT job_id, attempt, fence, bot_id, now, NULL, ttl_ms, 0 FROM input),
  noted AS (
    INSERT INTO attempts (job_id, attempt, fence, bot_id, assigned_at, acknowledged_at)
    SELECT job_id, attempt, fence, bot_id, now, NULL FROM input)
  INSERT INTO events (time, kind, subject, detail)
  SELECT now, 'job.assigned', job_id, detail FROM input ORDER BY n`,
);

/**
 * The jobs that wait first, as far as none of them was handed out before: such a one may avoid
 * a bot, and has more to it. Claims beyond these go alone.
 */
async function candidates(session: Session, inputs: readonly ClaimJob[]): Promise<Candidate[]> {
  const { rows } = await session.query({ ...next, values: [inputs[0]?.queues, inputs.length] });
  const jobs = rows as Candidate[];
  const again = jobs.findIndex(({ fence }) => fence > 0);
  return again < 0 ? jobs : jobs.slice(0, again);
}

const grantAll = (session: Session, granted: readonly Grant[]) =>
  session.query({
    ...grants,
    values: [
      granted.map(({ jobId }) => jobId),
      granted.map(({ attempt }) => attempt),
      granted.map(({ fence }) => fence),
      granted.map(({ botId }) => storable(botId)),
      granted.map(({ now }) => now),
      granted.map(({ ttlMs }) => ttlMs),
      granted.map(({ botId, attempt, fence }) => JSON.stringify({ botId, attempt, fence })),
    ],
  });

/** Claims of the same queues: the first of them gets the first job, as one after the other. */
export const claimJobs: OperationSet<ClaimJob, ClaimedJob | undefined> = {
  name: claimJob.name,
  sorted: ({ queues, acknowledged, limit }) =>
    acknowledged || limit ? undefined : { kind: queues.join(), subject: '' },
  async run(session, inputs) {
    const jobs = await candidates(session, inputs);
    const taken = new Map<number, number>();
    const claims = jobs.map(({ pending, ...job }, at) => {
      const queue = job.queue_id as number;
      const before = (taken.get(queue) ?? 0) + 1;
      taken.set(queue, before);
      const { grant, known } = grantOf(job, inputs[at] as ClaimJob);
      const { jobId: id, attempt, fence } = grant;
      return { grant, output: { ...known, id, attempt, fence, left_in_queue: pending - before } };
    });
    if (claims.length > 0)
      await grantAll(
        session,
        claims.map(({ grant }) => grant),
      );
    return inputs.map((_, at) => {
      const claim = claims[at];
      return claim && { output: claim.output };
    });
  },
};
