import { type FuzzCampaignRow, fuzzCampaignColumns } from '../../campaign-rows.js';
import { pageOperation } from '../../operation.js';
import { page, statement } from '../../statement.js';

interface CampaignsPage {
  /** Empty: all. */
  project: string;
  /** Archived ones too. */
  archived: boolean;
  beforeId: string;
  limit: number;
}

type Keys = Omit<CampaignsPage, 'archived'>;

const select = `SELECT ${fuzzCampaignColumns} FROM fuzz_campaigns WHERE`;
const order = 'id < @beforeId ORDER BY id DESC LIMIT @limit';
const every = statement<Keys, FuzzCampaignRow>(`${select} ${order}`);
const everyOf = statement<Keys, FuzzCampaignRow>(`${select} project = @project AND ${order}`);
const live = statement<Keys, FuzzCampaignRow>(`${select} state <> 'archived' AND ${order}`);
const liveOf = statement<Keys, FuzzCampaignRow>(
  `${select} state <> 'archived' AND project = @project AND ${order}`,
);

/** Campaigns, newest first. */
export const listFuzzCampaigns = pageOperation(
  'list_fuzz_campaigns',
  ({ archived, ...keys }: CampaignsPage) => {
    if (keys.project === '') return page(archived ? every : live, keys);
    return page(archived ? everyOf : liveOf, keys);
  },
);
