import { NotFoundError, PreconditionError } from '../../../core/errors.js';
import { writeOperation } from '../../operation.js';
import { eventRecorder } from '../events/record-event.js';

/**
 * Forgets a bot: it is listed no more, and its name is free. Its row stays, for
 * the jobs and crashes that name it.
 *
 * @throws NotFoundError
 * @throws PreconditionError HOLDS_LEASES
 */
export const forgetBot = writeOperation('forget_bot', 'work', (db) => {
  const forget = db.prepare<[object]>(`
      UPDATE bots SET forgotten_at = @now
      WHERE id = @botId AND forgotten_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM leases WHERE bot_id = @botId)`);
  const exists = db.prepare<[string]>('SELECT 1 FROM bots WHERE id = ? AND forgotten_at IS NULL');
  const recordEvent = eventRecorder(db);
  return ({ botId, now }: { botId: string; now: number }): void => {
    if (forget.run({ botId, now }).changes > 0) {
      recordEvent(now, 'bot.forgotten', botId);
      return;
    }
    if (!exists.get(botId)) throw new NotFoundError({ resource: 'bot', id: botId });
    const why = 'the bot holds leases: drain it first, or wait until they end';
    throw new PreconditionError({ reason: 'HOLDS_LEASES', why });
  };
});
