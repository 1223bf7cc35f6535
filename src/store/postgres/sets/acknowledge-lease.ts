import type { AcknowledgeLease } from '../../ops/leases/acknowledge-lease.js';
import { acknowledgeLease } from '../../ops/leases/acknowledge-lease.js';
import { earlier } from '../../sql.js';
import { storable } from '../storable.js';
import { type OperationSet, setStatement, settledOf } from './set.js';

const statement = setStatement(
  'set_acknowledge',
  { job_id: 'text', fence: 'bigint', bot_id: 'text', now: 'bigint', detail: 'text' },
  `
  WITH input AS (SELECT * FROM INPUT),
  held AS (
    UPDATE leases SET acknowledged_at = coalesce(leases.acknowledged_at, input.now) FROM input
    WHERE leases.job_id = input.job_id AND leases.fence = input.fence
      AND leases.bot_id = input.bot_id
    RETURNING input.n, input.job_id, input.fence, input.now, input.detail),
  moved AS (
    UPDATE jobs SET state = 'running', started_at = coalesce(jobs.started_at, held.now),
      due_at = ${earlier('held.now + jobs.run_within_ms', 'jobs.close_by')}
    FROM held WHERE jobs.id = held.job_id AND jobs.fence = held.fence AND jobs.state = 'assigned'
    RETURNING held.n, held.job_id, held.fence, held.now, held.detail),
  noted AS (
    UPDATE attempts SET acknowledged_at = moved.now FROM moved
    WHERE attempts.job_id = moved.job_id AND attempts.fence = moved.fence
      AND attempts.acknowledged_at IS NULL),
  told AS (
    INSERT INTO events (time, kind, subject, detail)
    SELECT now, 'job.running', job_id, detail FROM moved ORDER BY n)
  SELECT n FROM held`,
);

/** A lease that is not there goes alone, and is refused there. */
export const acknowledgeLeases: OperationSet<AcknowledgeLease, void> = {
  name: acknowledgeLease.name,
  sorted: ({ jobId }) => ({ kind: '', subject: jobId }),
  async run(session, inputs) {
    const { rows } = await session.query({
      ...statement,
      values: [
        inputs.map(({ jobId }) => storable(jobId)),
        inputs.map(({ fence }) => fence),
        inputs.map(({ botId }) => storable(botId)),
        inputs.map(({ now }) => now),
        inputs.map(({ botId, fence }) => JSON.stringify({ botId, fence })),
      ],
    });
    const held = settledOf(rows);
    return inputs.map((_, at) => (held.has(at) ? { output: undefined } : undefined));
  },
};
