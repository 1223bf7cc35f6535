import { unary } from '../../../client/call.js';
import type { Connection } from '../../../client/connect.js';
import { isNotFound, isUnknownCall } from '../../../client/failure.js';
import { UserError } from '../../../core/errors.js';
import type {
  FuzzingCampaign,
  GetCampaignResponse,
} from '../../../gen/pandafuzz/v1/campaign_service.js';
import type { CoverageFile, CoverageReport } from '../../../gen/pandafuzz/v1/coverage_service.js';
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
  /** Of its target; undefined: there is no report. */
  readonly coverage: CoverageReported | undefined;
}

export interface CoverageReported {
  readonly report: CoverageReport;
  readonly files: readonly CoverageFile[];
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
  const coverage = await coverageOf(connection, campaign, options);
  return { at: new Date(), whole: { ...answer, campaign }, figures, groups, coverage };
}

async function coverageOf(
  { coverage }: Connection,
  { spec }: FuzzingCampaign,
  options: CallOptions,
): Promise<CoverageReported | undefined> {
  const { project = '', targetName = '' } = spec ?? {};
  const request = { project, targetName, reportId: 0 };
  try {
    const { report, files } = await unary(coverage, coverage.getCoverage, request, options);
    return report && { report, files };
  } catch (error) {
    // A master of an earlier version has no such call.
    if (isNotFound(error) || isUnknownCall(error)) return undefined;
    throw error;
  }
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
