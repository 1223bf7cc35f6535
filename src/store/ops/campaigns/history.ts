import type { HistoryRow } from '../../campaign-rows.js';
import { pageOperation } from '../../operation.js';
import { page, statement } from '../../statement.js';

const before = statement<HistoryPage, HistoryRow>(`
  SELECT sequence, time, kind, text FROM campaign_history
  WHERE campaign_id = @campaignId AND sequence < @beforeSequence
  ORDER BY sequence DESC LIMIT @limit`);

interface HistoryPage {
  campaignId: string;
  beforeSequence: number;
  limit: number;
}

/** The history of a campaign, newest first. */
export const readHistory = (of: HistoryPage) => page(before, of);

export const listCampaignHistory = pageOperation('list_campaign_history', readHistory);
