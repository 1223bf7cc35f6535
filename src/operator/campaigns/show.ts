import { unary } from '../../client/call.js';
import {
  CampaignEvent,
  ExplainCampaignResponse,
  FuzzingCampaign,
  GetCampaignResponse,
} from '../../gen/pandafuzz/v1/campaign_service.js';
import { plainLines } from '../format.js';
import { listFuzzingCampaigns, listHistory } from '../lists.js';
import { print } from '../output.js';
import { asking, type Flags } from '../session.js';
import { armTable, campaignDetails, fuzzingTable, historyTable } from './views.js';

/** `pandafuzz campaign list|get|explain|history`. */

export function showCampaigns(
  flags: Flags & { project?: string; archived?: boolean; limit: number },
): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { project = '', archived = false, limit } = flags;
    const filter = { project, archived, limit };
    const campaigns = await listFuzzingCampaigns(connection, filter, options);
    print(flags.json, {
      json: () => ({ campaigns: campaigns.map(FuzzingCampaign.toJSON) }),
      text: () => fuzzingTable(campaigns, Date.now()),
    });
  });
}

export function showCampaign(flags: Flags & { project?: string }, campaign: string): Promise<void> {
  return asking(flags, async ({ campaigns }, options) => {
    const request = { project: flags.project ?? '', campaign };
    const answer = await unary(campaigns, campaigns.getCampaign, request, options);
    print(flags.json, {
      json: () => GetCampaignResponse.toJSON(answer),
      text: () => campaignDetails(answer, Date.now()),
    });
  });
}

export function explainCampaign(
  flags: Flags & { project?: string },
  campaign: string,
): Promise<void> {
  return asking(flags, async ({ campaigns }, options) => {
    const request = { project: flags.project ?? '', campaign };
    const answer = await unary(campaigns, campaigns.explainCampaign, request, options);
    print(flags.json, {
      json: () => ExplainCampaignResponse.toJSON(answer),
      text: () => {
        const reasons =
          answer.reasons.length > 0 ? answer.reasons : ['nothing keeps it from running'];
        return `${plainLines(reasons.join('\n'))}\n\n${armTable(answer.arms)}`;
      },
    });
  });
}

export function showHistory(
  flags: Flags & { project?: string; limit: number },
  campaign: string,
): Promise<void> {
  return asking(flags, async (connection, options) => {
    const filter = { project: flags.project ?? '', campaign, limit: flags.limit };
    const events = await listHistory(connection, filter, options);
    print(flags.json, {
      json: () => ({ events: events.map(CampaignEvent.toJSON) }),
      text: () => historyTable(events, Date.now()),
    });
  });
}
