import { writeOperation } from '../../operation.js';
import { run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';

interface MarkDrained {
  botId: string;
  now: number;
}

const mark = statement<MarkDrained>(`
  UPDATE bots SET drained_at = @now
  WHERE id = @botId AND drain_requested_at IS NOT NULL AND drained_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM leases WHERE bot_id = @botId)`);

/** Marks a bot as drained if it is to be drained and holds no lease any more. */
export const markDrained = writeOperation(
  'mark_drained',
  'beats',
  function* (input: MarkDrained): Steps<void> {
    if ((yield* run(mark, input)) > 0) yield* recordEvent(input.now, 'bot.drained', input.botId);
  },
);
