import { NotFoundError } from '../../../core/errors.js';
import { writeOperation } from '../../operation.js';
import { type BotRow, botColumns } from '../../rows.js';
import { eventRecorder } from '../events/record-event.js';

/**
 * Wants a bot to take nothing new, or takes that back. One that holds no lease is
 * drained at once.
 *
 * @throws NotFoundError
 */
export const drainBot = writeOperation('drain_bot', 'work', (db) => {
  const drain = db.prepare<[object], BotRow>(`
      UPDATE bots SET
        drain_requested_at = iif(@wanted, coalesce(drain_requested_at, @now), NULL),
        drain_acknowledged_at = iif(@wanted, drain_acknowledged_at, NULL),
        drained_at = CASE
          WHEN NOT @wanted THEN NULL
          WHEN drained_at IS NULL AND NOT EXISTS (SELECT 1 FROM leases WHERE bot_id = @botId)
            THEN @now
          ELSE drained_at END
      WHERE id = @botId AND forgotten_at IS NULL
      RETURNING ${botColumns}`);
  const recordEvent = eventRecorder(db);
  return (input: { botId: string; wanted: boolean; now: number }): BotRow => {
    const { botId, now } = input;
    const bot = drain.get({ botId, now, wanted: input.wanted ? 1 : 0 });
    if (!bot) throw new NotFoundError({ resource: 'bot', id: botId });
    recordEvent(now, input.wanted ? 'bot.drain_requested' : 'bot.resumed', botId);
    return bot;
  };
});
