import { unary } from '../../client/call.js';
import {
  CampaignEvent,
  CampaignState,
  ExplainCampaignResponse,
  FuzzingCampaign,
  GetCampaignResponse,
} from '../../gen/pandafuzz/v1/campaign_service.js';
import { plainLines } from '../format.js';
import { type ListFlags, showListing } from '../listing.js';
import { campaignPages, historyPages } from '../lists.js';
import { print } from '../output.js';
import { asking, type Flags } from '../session.js';
import { campaignSorts } from '../sorts.js';
import { word } from '../words.js';
import { armTable, campaignDetails, fuzzingTable, historyTable } from './views.js';

/** `pandafuzz campaign list|get|explain|history`. */

interface CampaignFilter {
  readonly project?: string;
  readonly target?: string;
  /** A CampaignState in lower case. */
  readonly state?: string;
  readonly since?: Date;
  readonly archived?: boolean;
}

export function showCampaigns(flags: Flags & ListFlags & CampaignFilter): Promise<void> {
  const { project = '', target, state, since } = flags;
  const archived = flags.archived === true || state === 'archived';
  const isFiltered = target !== undefined || state !== undefined || since !== undefined;
  return asking(flags, (connection, options) =>
    showListing(flags, {
      items: 'campaigns',
      first: 'newest',
      read: campaignPages(connection, { project, archived }, options),
      ...(isFiltered && {
        passes: (campaign: FuzzingCampaign) =>
          (target === undefined || campaign.spec?.targetName === target) &&
          (state === undefined || word(CampaignState[campaign.state]) === state) &&
          (since === undefined || (campaign.createdAt ?? since) >= since),
      }),
      sorts: campaignSorts,
      toJson: FuzzingCampaign.toJSON,
      text: (campaigns, width) => fuzzingTable(campaigns, Date.now(), width),
    }),
  );
}

export function showCampaign(flags: Flags & { project?: string }, campaign: string): Promise<void> {
  return asking(flags, async ({ campaigns }, options) => {
    const request = { project: flags.project ?? '', campaign };
    const answer = await unary(campaigns, campaigns.getCampaign, request, options);
    print(flags, {
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
    print(flags, {
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
  flags: Flags & ListFlags & { project?: string; since?: Date },
  campaign: string,
): Promise<void> {
  const { project = '', since } = flags;
  return asking(flags, (connection, options) =>
    showListing(flags, {
      items: 'events',
      first: 'newest',
      read: historyPages(connection, { project, campaign }, options),
      ...(since && { passes: ({ time }: CampaignEvent) => (time ?? since) >= since }),
      sorts: {},
      toJson: CampaignEvent.toJSON,
      text: (events, width) => historyTable(events, Date.now(), width),
    }),
  );
}
