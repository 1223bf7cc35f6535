import { NotFoundError, PreconditionError } from '../../../core/errors.js';
import { writeOperation } from '../../operation.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';

interface ForgetBot {
  botId: string;
  now: number;
}

const forget = statement<ForgetBot>(`
  UPDATE bots SET forgotten_at = @now
  WHERE id = @botId AND forgotten_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM leases WHERE bot_id = @botId)`);
const exists = statement<{ botId: string }, unknown>(
  'SELECT 1 FROM bots WHERE id = @botId AND forgotten_at IS NULL',
);

/**
 * Forgets a bot: it is no longer listed, and its name is free. Its row stays while jobs or
 * crashes name it.
 *
 * @throws NotFoundError
 * @throws PreconditionError HOLDS_LEASES
 */
export const forgetBot = writeOperation(
  'forget_bot',
  'work',
  function* (input: ForgetBot): Steps<void> {
    if ((yield* run(forget, input)) > 0) {
      yield* recordEvent(input.now, 'bot.forgotten', input.botId);
      return;
    }
    if (!(yield* one(exists, input))) {
      throw new NotFoundError({ resource: 'bot', id: input.botId });
    }
    const why = 'the bot holds leases: drain it first, or wait until they end';
    throw new PreconditionError({ reason: 'HOLDS_LEASES', why });
  },
);
