import { one, run, type Steps, statement } from '../../statement.js';

/** Time for other bots to take a job that one could not start: doubled with each try there. */
export interface AvoidTimes {
  readonly avoidFirstMs: number;
  readonly avoidMaxMs: number;
}

interface FailedStart {
  readonly jobId: string;
  readonly botId: string;
  readonly message: string;
  readonly now: number;
}

const select = statement<{ jobId: string; botId: string }, { tries: number }>(
  'SELECT tries FROM avoided WHERE bot_id = @botId AND job_id = @jobId',
);
const upsert = statement<FailedStart & { tries: number; untilAt: number }>(`
  INSERT INTO avoided (bot_id, job_id, tries, active, until_at, message)
  VALUES (@botId, @jobId, @tries, 1, @untilAt, @message)
  ON CONFLICT (bot_id, job_id) DO UPDATE SET tries = excluded.tries, active = 1,
    until_at = excluded.until_at, message = excluded.message`);

/** Keeps a job from a bot that could not start it. Part of the operations that end an attempt. */
export function* avoidBot(start: FailedStart, times: AvoidTimes): Steps<void> {
  const before = (yield* one(select, start))?.tries ?? 0;
  const waitMs = Math.min(times.avoidFirstMs * 2 ** before, times.avoidMaxMs);
  const { jobId, botId, message, now } = start;
  const untilAt = now + waitMs;
  yield* run(upsert, { jobId, botId, message, now, tries: before + 1, untilAt });
}
