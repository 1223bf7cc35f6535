import { writeOperation } from '../../operation.js';
import type { WebhookRow } from '../../rows.js';
import { all, one, runEach, type Steps, statement } from '../../statement.js';

const every = statement<{ after: string }, WebhookRow>(`
  SELECT name, cursor, failing_since, last_error FROM webhooks WHERE name > @after ORDER BY name`);
const insert = statement<{ name: string; cursor: number }>(`
  INSERT INTO webhooks (name, cursor, failing_since, last_error) VALUES (@name, @cursor, NULL, '')
  ON CONFLICT (name) DO NOTHING`);
const remove = statement<{ name: string }>('DELETE FROM webhooks WHERE name = @name');
const newest = statement<object, { sequence: number }>(
  'SELECT sequence FROM events WHERE sequence > 0 ORDER BY sequence DESC LIMIT 1',
);

interface StartedWebhooks {
  rows: WebhookRow[];
  added: string[];
  removed: string[];
}

/**
 * Makes the webhooks on disk those that are configured. A new one begins after the newest
 * event; one that is no longer configured is forgotten.
 */
export const startWebhooks = writeOperation(
  'start_webhooks',
  'work',
  function* (names: readonly string[]): Steps<StartedWebhooks> {
    const known = (yield* all(every, { after: '' })).map(({ name }) => name);
    const added = names.filter((name) => !known.includes(name));
    const removed = known.filter((name) => !names.includes(name));
    const cursor = (yield* one(newest, {}))?.sequence ?? 0;
    yield* runEach(
      insert,
      added.map((name) => ({ name, cursor })),
    );
    yield* runEach(
      remove,
      removed.map((name) => ({ name })),
    );
    return { rows: yield* all(every, { after: '' }), added, removed };
  },
);
