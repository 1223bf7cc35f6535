import { writeOperation } from '../../operation.js';
import { eventRecorder } from '../events/record-event.js';

/** The bot has heard that it is to be drained; the first time it says so is kept. */
export const acknowledgeDrain = writeOperation('acknowledge_drain', 'result', (db) => {
  const acknowledge = db.prepare<[object]>(`
      UPDATE bots SET drain_acknowledged_at = @now
      WHERE id = @botId AND drain_requested_at IS NOT NULL AND drain_acknowledged_at IS NULL`);
  const recordEvent = eventRecorder(db);
  return ({ botId, now }: { botId: string; now: number }): void => {
    if (acknowledge.run({ botId, now }).changes === 0) return;
    recordEvent(now, 'bot.drain_acknowledged', botId);
  };
});
