import { CampaignSharing, type CampaignSpec } from '../../gen/pandafuzz/v1/campaign_service.js';
import { type ArmRow, type LoadedCampaign, recentOf } from '../../store/campaign-rows.js';
import type { ShareOfArm } from './records.js';
import { lengthOfRun } from './run-length.js';
import { sharesOf } from './shares.js';

/** The shares of a campaign's builds, as it is on disk. */
export function sharesIn(
  { campaign, arms }: LoadedCampaign,
  spec: CampaignSpec,
): ReadonlyMap<string, ShareOfArm> {
  const figures = arms.map((row) => ({
    build: row.build,
    recent: recentOf(row),
    runMs: lengthOfRun(spec, row),
    trialLeft: row.trial_left,
    pinnedPercent: spec.builds.find(({ name }) => name === row.build)?.pinnedPercent ?? 0,
    held: heldFor(row),
  }));
  const isEven = spec.sharing === CampaignSharing.EVEN;
  return sharesOf(figures, { billedMs: campaign.billed_ms, isEven });
}

/** Why a build is held; '': it is not. */
export const heldFor = ({ held_until, hold_ms, hold_why }: ArmRow): string =>
  held_until === null ? '' : `held: ${hold_why}; tried once in ${hold_ms / 60_000} min`;
