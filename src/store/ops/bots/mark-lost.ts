import { pageOperation, writeOperation } from '../../operation.js';
import { inCluster } from '../../sql.js';
import { all, one, run, type Statement, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';

/** Bots that the event of a change names; of further ones it has the number alone. */
export const mostNamed = 20;

interface Change {
  ids: readonly string[];
  now: number;
}

/** No master of a cluster has its stream. */
const hasNoMaster = inCluster(
  'AND NOT EXISTS (SELECT 1 FROM masters WHERE masters.id = bots.master)',
);
/** A bot that is drained, or forgotten, was taken out by people, and is not missed. */
const lose = statement<{ id: string; now: number }>(`
  UPDATE bots SET lost_at = @now
  WHERE id = @id AND lost_at IS NULL AND forgotten_at IS NULL AND drain_requested_at IS NULL
    ${hasNoMaster}`);
const regain = statement<{ id: string; now: number }>(
  'UPDATE bots SET lost_at = NULL WHERE id = @id AND lost_at IS NOT NULL',
);
const nameOf = statement<{ id: string }, { name: string }>('SELECT name FROM bots WHERE id = @id');

/** Marks bots as lost, with one event for all of them. @returns those that were changed */
export const markLost = writeOperation('mark_lost', 'upkeep', (input: Change) =>
  change(lose, 'bot.lost', input),
);

/** Marks lost bots as back, with one event for all of them. @returns those that were changed */
export const markBack = writeOperation('mark_back', 'upkeep', (input: Change) =>
  change(regain, 'bot.back', input),
);

/** A lost bot has come to a master of a cluster. */
export const regainBot = (id: string, now: number) =>
  change(regain, 'bot.back', { ids: [id], now });

function* change(
  to: Statement<{ id: string; now: number }, never>,
  kind: string,
  { ids, now }: Change,
): Steps<string[]> {
  const changed: string[] = [];
  const bots: { id: string; name: string }[] = [];
  for (const id of ids) {
    if ((yield* run(to, { id, now })) === 0) continue;
    changed.push(id);
    if (bots.length === mostNamed) continue;
    bots.push({ id, name: (yield* one(nameOf, { id }))?.name ?? '' });
  }
  const [first] = changed;
  if (first) yield* recordEvent(now, kind, first, { count: changed.length, bots });
  return changed;
}

interface Presence {
  id: string;
  last_seen_at: number;
  lost_at: number | null;
}

const seen = statement<{ since: number; lastSeenAt: number; id: string; limit: number }, Presence>(`
  SELECT id, last_seen_at, lost_at FROM bots
  WHERE forgotten_at IS NULL AND last_seen_at >= @since
    AND (last_seen_at, id) > (@lastSeenAt, @id)
  ORDER BY last_seen_at, id LIMIT @limit`);

/** Bots that were seen since then, those first that were seen longest ago. */
export const seenBots = pageOperation(
  'seen_bots',
  ({
    after,
    ...page
  }: {
    since: number;
    after: { lastSeenAt: number; id: string };
    limit: number;
  }) => all(seen, { ...page, ...after }),
);
