import {
  afterAttempt,
  columnsOfAttempt,
  type Ending,
  type JobAfterAttempt,
  type JobOfAttempt,
} from '../../after-attempt.js';
import type { JobStateName } from '../../rows.js';
import { forUpdate } from '../../sql.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { fuzzedMs } from '../../statistics.js';

/** Where a job went. */
export interface MovedOn {
  state: JobStateName;
  /** The queue in which it waits again, for a bot to take it. */
  wakes: number | undefined;
}

/** Data of the attempt's bot, as far as it is not on record. */
interface Reported {
  statistics: string | null;
  /** When the bot reported them. */
  statisticsAt: number | null;
  acknowledgedAt: number | null;
}

interface EndedJob extends JobOfAttempt {
  statistics: string | null;
  spent_ms: number;
}

const select = statement<{ jobId: string }, EndedJob>(
  `SELECT ${columnsOfAttempt}, statistics, spent_ms FROM jobs WHERE id = @jobId ${forUpdate()}`,
);
const update = statement<JobAfterAttempt & Reported & { jobId: string; spentMs: number }>(`
  UPDATE jobs SET
    state = @state, outcome = @outcome, message = @message, final = @final,
    statistics = coalesce(@statistics, statistics),
    statistics_at = coalesce(@statisticsAt, statistics_at), spent_ms = @spentMs,
    failed_attempts = @failed_attempts, refused_attempts = @refused_attempts,
    lost_attempts = @lost_attempts,
    started_at = coalesce(started_at, @acknowledgedAt), finished_at = @finished_at,
    delayed = @delayed, ready_at = @ready_at, start_by = @start_by, due_at = @due_at,
    timed_out_at = NULL
  WHERE id = @jobId`);

/** Moves a job on whose attempt has ended. Part of the operations that end an attempt. */
export function* moveOn(jobId: string, ending: Ending, reported: Reported): Steps<MovedOn> {
  const job = (yield* one(select, { jobId })) as EndedJob;
  const after = afterAttempt(job, ending);
  const spentMs = job.spent_ms + fuzzedMs(reported.statistics ?? job.statistics);
  yield* run(update, { jobId, ...reported, ...after, spentMs });
  const { state, delayed } = after;
  return { state, wakes: state === 'pending' && delayed === 0 ? job.queue_id : undefined };
}
