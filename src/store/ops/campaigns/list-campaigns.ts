import { pageOperation } from '../../operation.js';
import type { CampaignRow } from '../../rows.js';

/** The campaigns by key, those after `afterKey`; all from the first if it is null. */
export const listCampaigns = pageOperation('list_campaigns', (db) => {
  const select = (comparison: '>=' | '>') =>
    db.prepare<[string, number], CampaignRow>(`
      SELECT key, weight, max_parallel,
        (SELECT coalesce(sum(pending), 0) FROM queues WHERE campaign = key) AS pending
      FROM campaigns WHERE key ${comparison} ? ORDER BY key LIMIT ?`);
  const first = select('>=');
  const next = select('>');
  return (page: { afterKey: string | null; limit: number }): CampaignRow[] =>
    page.afterKey === null ? first.all('', page.limit) : next.all(page.afterKey, page.limit);
});
