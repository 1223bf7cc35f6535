import { writeOperation } from '../../operation.js';
import { flag } from '../../sql.js';
import { all, run, type Steps, statement } from '../../statement.js';

const next = statement<{ after: string; limit: number }, { key: string; used: 0 | 1 }>(`
  SELECT key, ${flag(`weight <> 1 OR max_parallel <> 0
    OR EXISTS (SELECT 1 FROM queues WHERE campaign = campaigns.key)`)} AS used
  FROM campaigns WHERE key > @after ORDER BY key LIMIT @limit`);
const remove = statement<{ key: string }>('DELETE FROM campaigns WHERE key = @key');

/**
 * Deletes campaigns that have no queue and were given no weight and no limit, among the
 * next `limit`. Such a row says nothing: the next job of the campaign makes it again.
 *
 * @returns how many, and where to go on; '' at the end
 */
export const pruneCampaigns = writeOperation(
  'prune_campaigns',
  'upkeep',
  function* (input: { after: string; limit: number }): Steps<{ removed: number; next: string }> {
    const campaigns = yield* all(next, input);
    let removed = 0;
    for (const { key, used } of campaigns) if (used === 0) removed += yield* run(remove, { key });
    const last = campaigns.length === input.limit ? campaigns.at(-1) : undefined;
    return { removed, next: last?.key ?? '' };
  },
);
