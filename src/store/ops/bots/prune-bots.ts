import { readOperation, writeOperation } from '../../operation.js';
import { forUpdate } from '../../sql.js';
import { all, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';

interface Unseen {
  olderThan: number;
  /** Where the last page ended. */
  after: { lastSeenAt: number; id: string };
  limit: number;
}

const unseen = statement<
  { olderThan: number; lastSeenAt: number; id: string; limit: number },
  { id: string; last_seen_at: number }
>(`
  SELECT id, last_seen_at FROM bots
  WHERE forgotten_at IS NULL AND last_seen_at < @olderThan
    AND (last_seen_at, id) > (@lastSeenAt, @id)
  ORDER BY last_seen_at, id LIMIT @limit`);

/** A page of the bots that were last seen before `olderThan`, the oldest first. */
export const unseenBots = readOperation('unseen_bots', ({ after, ...page }: Unseen) =>
  all(unseen, { ...page, ...after }),
);

const forget = statement<{ id: string; olderThan: number; now: number }>(`
  UPDATE bots SET forgotten_at = @now
  WHERE id = @id AND forgotten_at IS NULL AND last_seen_at < @olderThan
    AND NOT EXISTS (SELECT 1 FROM leases WHERE bot_id = @id)`);

/** Forgets those of the bots that are still unseen and hold no lease. @returns how many */
export const forgetUnseen = writeOperation(
  'forget_unseen',
  'upkeep',
  function* (input: { ids: readonly string[]; olderThan: number; now: number }): Steps<number> {
    const { ids, olderThan, now } = input;
    let forgotten = 0;
    for (const id of ids) {
      if ((yield* run(forget, { id, olderThan, now })) === 0) continue;
      yield* recordEvent(now, 'bot.forgotten', id);
      forgotten += 1;
    }
    return forgotten;
  },
);

const next = statement<{ after: string; limit: number }, { id: string }>(`
  SELECT id FROM bots WHERE forgotten_at IS NOT NULL AND id > @after
  ORDER BY id LIMIT @limit ${forUpdate()}`);
const remove = statement<{ id: string }>(`
  DELETE FROM bots
  WHERE id = @id AND forgotten_at IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM leases WHERE bot_id = @id)
    AND NOT EXISTS (SELECT 1 FROM jobs WHERE bot_id = @id)
    AND NOT EXISTS (SELECT 1 FROM attempts WHERE bot_id = @id)
    AND NOT EXISTS (SELECT 1 FROM crashes WHERE bot_id = @id)
    AND NOT EXISTS (SELECT 1 FROM reproductions WHERE bot_id = @id)`);

/**
 * Deletes the rows of forgotten bots that nothing names any more, of the next `limit`
 * forgotten ones.
 *
 * @returns how many, and where to go on; '' at the end
 */
export const pruneForgotten = writeOperation(
  'prune_forgotten',
  'upkeep',
  function* (input: { after: string; limit: number }): Steps<{ removed: number; next: string }> {
    const bots = yield* all(next, input);
    let removed = 0;
    for (const { id } of bots) removed += yield* run(remove, { id });
    const last = bots.length === input.limit ? bots.at(-1) : undefined;
    return { removed, next: last?.id ?? '' };
  },
);
