import { pageOperation } from '../../operation.js';
import { type CampaignRow, campaignColumns } from '../../rows.js';
import { page, statement } from '../../statement.js';

const from = statement<{ fromKey: string; limit: number }, CampaignRow>(
  `SELECT ${campaignColumns} FROM campaigns WHERE key >= @fromKey ORDER BY key LIMIT @limit`,
);
const after = statement<{ afterKey: string; limit: number }, CampaignRow>(
  `SELECT ${campaignColumns} FROM campaigns WHERE key > @afterKey ORDER BY key LIMIT @limit`,
);

/** The campaigns after `afterKey`, by key; from the first on if it is null. */
export const listCampaigns = pageOperation(
  'list_campaigns',
  ({ afterKey, limit }: { afterKey: string | null; limit: number }) =>
    afterKey === null ? page(from, { fromKey: '', limit }) : page(after, { afterKey, limit }),
);
