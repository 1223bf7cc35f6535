import { writeOperation } from '../../operation.js';
import type { WebhookRow } from '../../rows.js';
import { run, statement } from '../../statement.js';

const update = statement<WebhookRow>(`
  UPDATE webhooks SET cursor = @cursor, failing_since = @failing_since, last_error = @last_error
  WHERE name = @name AND cursor <= @cursor`);

/**
 * Stores how far a webhook has got; never less far than it was.
 *
 * @returns how many rows were changed: 0 or 1
 */
export const keepWebhook = writeOperation('keep_webhook', 'upkeep', (row: WebhookRow) =>
  run(update, row),
);
