import { pageOperation, writeOperation } from '../../operation.js';
import type { BotRow } from '../../rows.js';
import { all, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';

interface HoldBot {
  botId: string;
  failedStarts: number;
  /** Until when it is given nothing; null: it may try. */
  heldUntil: number | null;
  why: string;
  now: number;
}

const update = statement<HoldBot>(`
  UPDATE bots SET failed_starts = @failedStarts, held_until = @heldUntil, held_why = @why
  WHERE id = @botId AND forgotten_at IS NULL`);
const held = statement<{ afterId: string; limit: number }, HeldBot>(`
  SELECT id, failed_starts, held_until, held_why FROM bots
  WHERE failed_starts > 0 AND id > @afterId ORDER BY id LIMIT @limit`);

export type HeldBot = Pick<BotRow, 'id' | 'failed_starts' | 'held_until' | 'held_why'>;

/** Records how many starts of a bot failed in a row, and until when it is held back for that. */
export const holdBot = writeOperation('hold_bot', 'beats', function* (input: HoldBot): Steps<void> {
  if ((yield* run(update, input)) === 0) return;
  const { botId, failedStarts, heldUntil, now } = input;
  if (failedStarts > 0 && heldUntil !== null) {
    yield* recordEvent(now, 'bot.held_back', botId, { failedStarts, heldUntil });
  } else if (failedStarts === 0) yield* recordEvent(now, 'bot.released', botId);
});

/** Bots whose last starts failed, by id. */
export const listHeld = pageOperation('list_held', (page: { afterId: string; limit: number }) =>
  all(held, page),
);
