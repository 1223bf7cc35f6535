import { readOperation } from '../../operation.js';
import { one, type Steps, statement } from '../../statement.js';

const bound = statement<{ botId: string; exceptId: string; now: number }, unknown>(`
  SELECT 1 FROM tokens WHERE bot_id = @botId AND id <> @exceptId AND revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > @now) LIMIT 1`);
const holder = statement<{ jobId: string; fence: number }, { bot_id: string }>(
  'SELECT bot_id FROM attempts WHERE job_id = @jobId AND fence = @fence',
);

/** Whether a bot has a valid token besides `exceptId`. */
export const hasToken = readOperation(
  'has_token',
  function* (input: { botId: string; exceptId: string; now: number }): Steps<boolean> {
    return (yield* one(bound, input)) !== undefined;
  },
);

/** The bot of an attempt, which may have ended; undefined: there never was one. */
export const attemptHolder = readOperation(
  'attempt_holder',
  function* (lease: { jobId: string; fence: number }): Steps<string | undefined> {
    return (yield* one(holder, lease))?.bot_id;
  },
);
