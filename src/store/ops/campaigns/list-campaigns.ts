import { pageOperation } from '../../operation.js';
import { type CampaignRow, campaignColumns } from '../../rows.js';
import { page, statement } from '../../statement.js';

const from = statement<{ fromKey: string; limit: number }, CampaignRow>(
  `SELECT ${campaignColumns} FROM campaigns WHERE key >= @fromKey ORDER BY key LIMIT @limit`,
);
const after = statement<{ afterKey: string; limit: number }, CampaignRow>(
  `SELECT ${campaignColumns} FROM campaigns WHERE key > @afterKey ORDER BY key LIMIT @limit`,
);

const within = statement<{ afterKey: string; beforeKey: string; limit: number }, CampaignRow>(
  `SELECT ${campaignColumns} FROM campaigns
   WHERE key > @afterKey AND key < @beforeKey ORDER BY key LIMIT @limit`,
);

interface CampaignsPage {
  afterKey: string | null;
  /** Keys of this project ("PROJECT/NAME") alone; empty or absent: all. */
  project?: string;
  limit: number;
}

/** The campaigns after `afterKey`, by key; from the first on if it is null. */
export const listCampaigns = pageOperation(
  'list_campaigns',
  ({ afterKey, project, limit }: CampaignsPage) => {
    // "0" follows "/": between them are the keys that begin with the project.
    const beforeKey = `${project}0`;
    if (project) return page(within, { afterKey: afterKey ?? `${project}/`, beforeKey, limit });
    return afterKey === null
      ? page(from, { fromKey: '', limit })
      : page(after, { afterKey, limit });
  },
);
