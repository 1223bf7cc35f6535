import { writeOperation } from '../../operation.js';
import { run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';

interface AcknowledgeDrain {
  botId: string;
  now: number;
}

const acknowledge = statement<AcknowledgeDrain>(`
  UPDATE bots SET drain_acknowledged_at = @now
  WHERE id = @botId AND drain_requested_at IS NOT NULL AND drain_acknowledged_at IS NULL`);

/** Records when the bot first confirmed that it is to be drained. */
export const acknowledgeDrain = writeOperation(
  'acknowledge_drain',
  'result',
  function* (input: AcknowledgeDrain): Steps<void> {
    if ((yield* run(acknowledge, input)) === 0) return;
    yield* recordEvent(input.now, 'bot.drain_acknowledged', input.botId);
  },
);
