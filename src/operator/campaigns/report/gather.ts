import { unary } from '../../../client/call.js';
import type { Connection } from '../../../client/connect.js';
import { UserError } from '../../../core/errors.js';
import type {
  FuzzingCampaign,
  GetCampaignResponse,
} from '../../../gen/pandafuzz/v1/campaign_service.js';
import type { Crash, CrashGroup } from '../../../gen/pandafuzz/v1/crash.js';
import { listCrashGroups } from '../../lists.js';
import type { CallOptions } from '../../submit.js';
import { type Figures, figuresOf } from './figures.js';

/** Everything that a report of a campaign is made of. */
export interface CampaignReport {
  readonly at: Date;
  readonly whole: GetCampaignResponse & { readonly campaign: FuzzingCampaign };
  readonly figures: Figures;
  readonly groups: ReportedGroups;
}

export interface ReportedGroups {
  /** Groups of its target that were met since it was made, the newest first. */
  readonly shown: readonly { readonly group: CrashGroup; readonly crash: Crash }[];
  /** How many others there are, as far as they were counted. */
  readonly more: number;
  /** There are still others. */
  readonly areMore: boolean;
}

/** Groups beyond those that are shown are counted up to so many. */
const mostCounted = 1000;

/** @param mostGroups groups that are shown at most */
export async function gatherReport(
  connection: Connection,
  named: { project: string; campaign: string },
  mostGroups: number,
  options: CallOptions,
): Promise<CampaignReport> {
  const { campaigns } = connection;
  const answer = await unary(campaigns, campaigns.getCampaign, named, options);
  const { campaign } = answer;
  if (!campaign) throw new UserError('the master sent no campaign');
  const figures = await figuresOf(connection, campaign, options);
  const groups = await groupsOf(connection, campaign, mostGroups, options);
  return { at: new Date(), whole: { ...answer, campaign }, figures, groups };
}

async function groupsOf(
  connection: Connection,
  { spec, createdAt }: FuzzingCampaign,
  most: number,
  options: CallOptions,
): Promise<ReportedGroups> {
  const { project = '', targetName = '' } = spec ?? {};
  const limit = most + mostCounted + 1;
  const filter = { project, targetName, ...(createdAt && { since: createdAt }), limit };
  const groups = await listCrashGroups(connection, filter, options);
  const { crashes } = connection;
  const shown: { group: CrashGroup; crash: Crash }[] = [];
  for (const group of groups.slice(0, most)) {
    const crashId = group.reproducerCrashId || group.firstCrashId;
    const { crash } = await unary(crashes, crashes.getCrash, { crashId }, options);
    if (crash) shown.push({ group, crash });
  }
  const rest = Math.max(0, groups.length - most);
  return { shown, more: Math.min(rest, mostCounted), areMore: rest > mostCounted };
}
