import { unary } from '../../client/call.js';
import { UserError } from '../../core/errors.js';
import { Campaign } from '../../gen/pandafuzz/v1/job.js';
import { listCampaigns } from '../lists.js';
import { print } from '../output.js';
import { asking, type Flags } from '../session.js';
import { campaignTable } from '../views.js';

/** `pandafuzz campaign shares|set`. */

export function showShares(flags: Flags & { limit: number }): Promise<void> {
  return asking(flags, async (connection, options) => {
    const campaigns = await listCampaigns(connection, flags, options);
    print(flags.json, {
      json: () => ({ campaigns: campaigns.map(Campaign.toJSON) }),
      text: () => campaignTable(campaigns),
    });
  });
}

export function setCampaign(
  flags: Flags & { weight: number; maxParallel: number },
  key: string,
): Promise<void> {
  return asking(flags, async ({ jobs }, options) => {
    const { weight, maxParallel } = flags;
    const request = { key, weight, maxParallel };
    const { campaign } = await unary(jobs, jobs.setCampaign, request, options);
    if (!campaign) throw new UserError('the master sent no campaign');
    print(flags.json, {
      json: () => Campaign.toJSON(campaign),
      text: () => campaignTable([campaign]),
    });
  });
}
