import { clipUtf8 } from '../../../core/clip.js';
import type { StartTroubleName } from '../../rows.js';
import { one, type Steps, statement } from '../../statement.js';

/** A start that failed, as its bot reported it. */
export interface FailedStart {
  readonly jobId: string;
  readonly fence: number;
  readonly trouble?: StartTroubleName | null;
  readonly cause?: string;
  readonly message: string;
  /** The job's build has run on some bot, so that it is not to blame. */
  readonly isProven?: boolean;
}

interface Named {
  name: string;
  message: string | null;
}

/** Attempts that are looked at. */
const mostAttempts = 64;
/** Of each bot's own words, bytes. */
const longestWordsBytes = 1500;

const own = statement<{ jobId: string; fence: number }, { name: string }>(`
  SELECT bots.name FROM attempts JOIN bots ON bots.id = attempts.bot_id
  WHERE job_id = @jobId AND fence = @fence`);
const another = statement<{ jobId: string; fence: number; since: number; cause: string }, Named>(`
  SELECT bots.name, attempts.message FROM attempts JOIN bots ON bots.id = attempts.bot_id
  WHERE job_id = @jobId AND fence < @fence AND fence >= @since
    AND trouble = 'missing' AND cause = @cause
    AND bot_id <> (SELECT bot_id FROM attempts WHERE job_id = @jobId AND fence = @fence)
  ORDER BY fence DESC LIMIT 1`);

/**
 * Whether a second bot misses the same as an earlier one did: then the target is to blame,
 * unless its build has run elsewhere. Part of the operations that end an attempt.
 *
 * @returns the reason, with the words of both bots; undefined when it is the bot's trouble
 */
export function* accuseTarget(start: FailedStart): Steps<string | undefined> {
  const { jobId, fence, trouble, cause = '', message, isProven } = start;
  if (trouble !== 'missing' || cause === '' || isProven) return undefined;
  const since = fence - mostAttempts;
  const before = yield* one(another, { jobId, fence, since, cause });
  if (!before) return undefined;
  const bot = yield* one(own, { jobId, fence });
  const said = (name: string | undefined, words: string | null) =>
    `${name ?? 'a bot'}: ${clipUtf8(words ?? '', longestWordsBytes)}`;
  return [
    `the target cannot be started: two bots lack the same (${cause})`,
    said(before.name, before.message),
    said(bot?.name, message),
  ].join('\n');
}
