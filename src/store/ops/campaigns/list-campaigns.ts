import { pageOperation } from '../../operation.js';
import type { CampaignRow } from '../../rows.js';
import { all, statement } from '../../statement.js';

const columns = `key, weight, max_parallel,
  (SELECT coalesce(sum(pending), 0) FROM queues WHERE campaign = key) AS pending`;

const from = statement<{ fromKey: string; limit: number }, CampaignRow>(
  `SELECT ${columns} FROM campaigns WHERE key >= @fromKey ORDER BY key LIMIT @limit`,
);
const after = statement<{ afterKey: string; limit: number }, CampaignRow>(
  `SELECT ${columns} FROM campaigns WHERE key > @afterKey ORDER BY key LIMIT @limit`,
);

/** The campaigns after `afterKey`, by key; from the first on if it is null. */
export const listCampaigns = pageOperation(
  'list_campaigns',
  ({ afterKey, limit }: { afterKey: string | null; limit: number }) =>
    afterKey === null ? all(from, { fromKey: '', limit }) : all(after, { afterKey, limit }),
);
