import { writeOperation } from '../../operation.js';
import { greatest } from '../../sql.js';
import { all, run, runEach, type Steps, statement } from '../../statement.js';

interface Prune {
  olderThan: number;
  limit: number;
}

const touch = statement<{ id: string; at: number }>(
  `UPDATE tokens SET last_used_at = ${greatest('coalesce(last_used_at, 0)', '@at')} WHERE id = @id`,
);
const revoked = statement<Prune, { id: string }>(`
  SELECT id FROM tokens WHERE revoked_at IS NOT NULL AND revoked_at < @olderThan
  ORDER BY revoked_at, id LIMIT @limit`);
const expired = statement<Prune, { id: string }>(`
  SELECT id FROM tokens WHERE expires_at IS NOT NULL AND expires_at < @olderThan
  ORDER BY expires_at, id LIMIT @limit`);
const remove = statement<{ id: string }>('DELETE FROM tokens WHERE id = @id');

/** Writes when tokens were last used. */
export const touchTokens = writeOperation(
  'touch_tokens',
  'beats',
  (uses: readonly { id: string; at: number }[]) => runEach(touch, uses),
);

/**
 * Deletes tokens that ended before `olderThan`, `limit` of each kind.
 *
 * @returns their ids
 */
export const pruneTokens = writeOperation('prune_tokens', 'upkeep', function* (input: Prune): Steps<
  string[]
> {
  const ids: string[] = [];
  for (const ended of [revoked, expired]) {
    for (const { id } of yield* all(ended, input)) {
      if ((yield* run(remove, { id })) > 0) ids.push(id);
    }
  }
  return ids;
});
