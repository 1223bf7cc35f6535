import { unary } from '../../client/call.js';
import { UserError } from '../../core/errors.js';
import { Campaign } from '../../gen/pandafuzz/v1/job.js';
import { type ListFlags, showListing } from '../listing.js';
import { sharePages } from '../lists.js';
import { print } from '../output.js';
import { asking, type Flags } from '../session.js';
import { shareSorts } from '../sorts.js';
import { campaignTable } from '../views.js';

/** `pandafuzz campaign shares|set`. */

export function showShares(flags: Flags & ListFlags): Promise<void> {
  return asking(flags, (connection, options) =>
    showListing(flags, {
      items: 'campaigns',
      first: 'first',
      read: sharePages(connection, options),
      sorts: shareSorts,
      toJson: Campaign.toJSON,
      text: campaignTable,
    }),
  );
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
    print(flags, {
      json: () => Campaign.toJSON(campaign),
      text: () => campaignTable([campaign]),
    });
  });
}
