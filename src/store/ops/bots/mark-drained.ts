import { writeOperation } from '../../operation.js';
import { eventRecorder } from '../events/record-event.js';

/** A bot that was to finish what it had may have done so: it holds no lease any more. */
export const markDrained = writeOperation('mark_drained', 'beats', (db) => {
  const mark = db.prepare<[object]>(`
      UPDATE bots SET drained_at = @now
      WHERE id = @botId AND drain_requested_at IS NOT NULL AND drained_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM leases WHERE bot_id = @botId)`);
  const recordEvent = eventRecorder(db);
  return ({ botId, now }: { botId: string; now: number }): void => {
    if (mark.run({ botId, now }).changes > 0) recordEvent(now, 'bot.drained', botId);
  };
});
