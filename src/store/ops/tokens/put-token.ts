import { NotFoundError, UnauthenticatedError } from '../../../core/errors.js';
import { writeOperation } from '../../operation.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';
import { type NewToken, type TokenRow, tokenColumns } from './token-rows.js';

const insert = statement<NewToken, TokenRow>(`
  INSERT INTO tokens (id, hash, name, role, pool, projects, certificate, bot_id,
    created_by, created_at, expires_at)
  VALUES (@id, @hash, @name, @role, @pool, @projects, @certificate, @botId, @createdBy, @now, @expiresAt)
  RETURNING ${tokenColumns}`);
const bot = statement<{ botId: string }, unknown>(
  'SELECT 1 FROM bots WHERE id = @botId AND forgotten_at IS NULL',
);
const use = statement<{ enrolId: string; now: number }>(`
  UPDATE tokens SET revoked_at = @now, revoked_by = 'enrolment', last_used_at = @now
  WHERE id = @enrolId AND role = 'enrol' AND revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > @now)`);

/** Makes a token. @throws NotFoundError (bot) */
export const putToken = writeOperation(
  'put_token',
  'work',
  function* (input: NewToken): Steps<TokenRow> {
    const { botId } = input;
    if (botId !== null && !(yield* one(bot, { botId }))) {
      throw new NotFoundError({ resource: 'bot', id: botId });
    }
    return yield* put(input);
  },
);

/**
 * Makes the token of a bot with one that enrols, which is of no use afterwards.
 *
 * @throws UnauthenticatedError when that one is not valid any more
 */
export const enrolBot = writeOperation(
  'enrol_bot',
  'work',
  function* (input: NewToken & { enrolId: string }): Steps<TokenRow> {
    const { enrolId, ...token } = input;
    if ((yield* run(use, { enrolId, now: token.now })) === 0) {
      const why = 'this token has enrolled a bot already: make another one';
      throw new UnauthenticatedError({ reason: 'TOKEN_USED', why });
    }
    return yield* put(token);
  },
);

function* put(token: NewToken): Steps<TokenRow> {
  const row = (yield* one(insert, token)) as TokenRow;
  const { createdBy: by, name, role, pool } = token;
  yield* recordEvent(token.now, 'token.created', token.id, { by, name, role, pool });
  return row;
}
