import { writeOperation } from '../../operation.js';
import { all, run, type Steps, statement } from '../../statement.js';

const select = statement<{ olderThan: number; limit: number }, { id: string }>(`
  SELECT id FROM fuzz_campaigns WHERE state = 'archived' AND state_since < @olderThan
  ORDER BY state_since, id LIMIT @limit`);
const removals = [
  statement<{ id: string }>('DELETE FROM campaign_history WHERE campaign_id = @id'),
  statement<{ id: string }>('DELETE FROM campaign_groups WHERE campaign_id = @id'),
  statement<{ id: string }>('DELETE FROM campaign_builds WHERE campaign_id = @id'),
  statement<{ id: string }>('DELETE FROM campaign_arms WHERE campaign_id = @id'),
  statement<{ id: string }>('DELETE FROM fuzz_campaigns WHERE id = @id'),
];

/**
 * Deletes campaigns that were archived before `olderThan`, `limit` at most.
 *
 * @returns how many
 */
export const pruneArchived = writeOperation(
  'prune_archived_campaigns',
  'upkeep',
  function* (input: { olderThan: number; limit: number }): Steps<number> {
    const old = yield* all(select, input);
    for (const { id } of old) for (const removal of removals) yield* run(removal, { id });
    return old.length;
  },
);
