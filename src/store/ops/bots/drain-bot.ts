import { NotFoundError } from '../../../core/errors.js';
import { writeOperation } from '../../operation.js';
import { type BotRow, botColumns } from '../../rows.js';
import { one, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';

const drain = statement<{ botId: string; now: number; wanted: 0 | 1 }, BotRow>(`
  UPDATE bots SET
    drain_requested_at = CASE WHEN @wanted = 1 THEN coalesce(drain_requested_at, @now) END,
    drain_acknowledged_at = CASE WHEN @wanted = 1 THEN drain_acknowledged_at END,
    drained_at = CASE
      WHEN @wanted = 0 THEN NULL
      WHEN drained_at IS NULL AND NOT EXISTS (SELECT 1 FROM leases WHERE bot_id = @botId)
        THEN @now
      ELSE drained_at END
  WHERE id = @botId AND forgotten_at IS NULL
  RETURNING ${botColumns}`);

/**
 * Asks a bot to take nothing new, or takes that back. A bot that holds no lease is drained
 * at once.
 *
 * @throws NotFoundError
 */
export const drainBot = writeOperation(
  'drain_bot',
  'work',
  function* (input: { botId: string; wanted: boolean; now: number }): Steps<BotRow> {
    const { botId, now } = input;
    const bot = yield* one(drain, { botId, now, wanted: input.wanted ? 1 : 0 });
    if (!bot) throw new NotFoundError({ resource: 'bot', id: botId });
    yield* recordEvent(now, input.wanted ? 'bot.drain_requested' : 'bot.resumed', botId);
    return bot;
  },
);
