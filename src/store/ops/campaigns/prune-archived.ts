import { writeOperation } from '../../operation.js';
import { all, run, type Steps, statement } from '../../statement.js';

const select = statement<{ olderThan: number; limit: number }, { id: string }>(`
  SELECT id FROM fuzz_campaigns WHERE state = 'archived' AND state_since < @olderThan
  ORDER BY state_since, id LIMIT @limit`);
const removeGroups = statement<{ id: string; limit: number }>(`
  DELETE FROM campaign_groups WHERE campaign_id = @id AND group_id IN (
    SELECT group_id FROM campaign_groups WHERE campaign_id = @id ORDER BY group_id LIMIT @limit)`);
const removeHistory = statement<{ id: string; limit: number }>(`
  DELETE FROM campaign_history WHERE campaign_id = @id AND sequence IN (
    SELECT sequence FROM campaign_history WHERE campaign_id = @id ORDER BY sequence LIMIT @limit)`);
/** A hundred rows or so of each campaign. */
const removals = [
  statement<{ id: string }>('DELETE FROM campaign_builds WHERE campaign_id = @id'),
  statement<{ id: string }>('DELETE FROM campaign_arms WHERE campaign_id = @id'),
  statement<{ id: string }>('DELETE FROM fuzz_campaigns WHERE id = @id'),
];

/**
 * Deletes campaigns that were archived before `olderThan`, and first what is kept of each:
 * about `limit` rows in all.
 *
 * @returns how many rows; `limit` where there may be more
 */
export const pruneArchived = writeOperation(
  'prune_archived_campaigns',
  'upkeep',
  function* (input: { olderThan: number; limit: number }): Steps<number> {
    const { limit } = input;
    let removed = 0;
    for (const { id } of yield* all(select, input)) {
      for (const slice of [removeGroups, removeHistory]) {
        removed += yield* run(slice, { id, limit: limit - removed });
        if (removed >= limit) return limit;
      }
      for (const removal of removals) removed += yield* run(removal, { id });
      if (removed >= limit) return limit;
    }
    return removed;
  },
);
