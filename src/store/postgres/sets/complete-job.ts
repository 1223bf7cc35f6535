import {
  type CompletedJob,
  type CompleteJobInput,
  completeJob,
} from '../../ops/jobs/complete-job.js';
import { storable } from '../storable.js';
import { type OperationSet, setStatement, settledOf } from './set.js';

const statement = setStatement(
  'set_complete',
  {
    job_id: 'text',
    fence: 'bigint',
    attempt: 'bigint',
    bot_id: 'text',
    now: 'bigint',
    message: 'text',
    statistics: 'text',
    taken_at: 'bigint',
    taken_detail: 'text',
    detail: 'text',
  },
  `
  WITH input AS (SELECT * FROM INPUT),
  held AS (
    DELETE FROM leases USING input
    WHERE leases.job_id = input.job_id AND leases.fence = input.fence
      AND leases.attempt = input.attempt AND (input.bot_id = '' OR leases.bot_id = input.bot_id)
    RETURNING input.*),
  moved AS (
    UPDATE jobs SET
      state = 'completed', outcome = 'completed', message = held.message,
      statistics = coalesce(held.statistics, jobs.statistics), statistics_at = held.now, final = 0,
      started_at = coalesce(jobs.started_at, held.taken_at), finished_at = held.now,
      ready_at = NULL, due_at = NULL, timed_out_at = NULL
    FROM held WHERE jobs.id = held.job_id
    RETURNING jobs.id, jobs.statistics),
  noted AS (
    UPDATE attempts SET acknowledged_at = coalesce(attempts.acknowledged_at, held.taken_at),
      ended_at = held.now, outcome = 'completed', message = held.message,
      statistics = moved.statistics, state_after = 'completed', trouble = NULL, cause = NULL,
      final = 0
    FROM held JOIN moved ON moved.id = held.job_id
    WHERE attempts.job_id = held.job_id AND attempts.fence = held.fence),
  told AS (
    INSERT INTO events (time, kind, subject, detail)
    SELECT time, kind, job_id, detail FROM (
      SELECT n, 0 AS step, taken_at AS time, 'job.running' AS kind, job_id, taken_detail AS detail
      FROM held WHERE taken_at IS NOT NULL
      UNION ALL
      SELECT n, 1, now, 'job.completed', job_id, detail FROM held) AS entry
    ORDER BY n, step)
  SELECT n FROM held`,
);

type Input = CompleteJobInput;

const takenDetail = ({ acknowledged, fence }: Input): string | null =>
  acknowledged ? JSON.stringify({ botId: acknowledged.botId, fence }) : null;

/** The usual end of a job alone; a result that came before goes alone, and is found there. */
export const completeJobs: OperationSet<Input, CompletedJob> = {
  name: completeJob.name,
  sorted: ({ jobId, outcome, trouble, cause }) =>
    outcome === 'completed' && !trouble && !cause ? { kind: '', subject: jobId } : undefined,
  async run(session, inputs) {
    const { rows } = await session.query({
      ...statement,
      values: [
        inputs.map(({ jobId }) => storable(jobId)),
        inputs.map(({ fence }) => fence),
        inputs.map(({ attempt }) => attempt),
        inputs.map(({ botId }) => storable(botId ?? '')),
        inputs.map(({ now }) => now),
        inputs.map(({ message }) => storable(message)),
        inputs.map(({ statistics }) => storable(statistics)),
        inputs.map(({ acknowledged }) => acknowledged?.at ?? null),
        inputs.map(takenDetail),
        inputs.map(({ attempt, fence, outcome }) => JSON.stringify({ attempt, fence, outcome })),
      ],
    });
    const held = settledOf(rows);
    return inputs.map(({ now }, at) =>
      held.has(at)
        ? { output: { recordedAt: now, state: 'completed', wakes: undefined } }
        : undefined,
    );
  },
};
