import {
  type CampaignArm,
  CampaignBuild,
  type CampaignEvent,
  CampaignSpec,
  CampaignState,
  type EarlierBuild,
  type FuzzingCampaign,
} from '../../gen/pandafuzz/v1/campaign_service.js';
import type {
  ArmRow,
  CampaignStateName,
  EarlierBuildRow,
  FuzzCampaignRow,
  HistoryRow,
} from '../../store/campaign-rows.js';
import { time } from '../messages/records.js';

/** Rows of campaigns as messages of the contract. */

export const campaignStates: Record<CampaignStateName, CampaignState> = {
  active: CampaignState.ACTIVE,
  paused: CampaignState.PAUSED,
  ended: CampaignState.ENDED,
  archived: CampaignState.ARCHIVED,
};

/** The spec with weight and limit, which are kept with its key. */
export const specOf = (row: FuzzCampaignRow): CampaignSpec => ({
  ...CampaignSpec.fromJSON(JSON.parse(row.spec)),
  weight: row.weight ?? 1,
  maxParallel: row.max_parallel ?? 0,
});

export const campaignRecord = (
  row: FuzzCampaignRow,
  now: { running: number; arms: CampaignArm[] },
): FuzzingCampaign => ({
  id: row.id,
  key: row.key,
  spec: specOf(row),
  revision: row.revision,
  state: campaignStates[row.state],
  stateReason: row.state_reason,
  createdAt: time(row.created_at),
  stateSince: time(row.state_since),
  runs: row.runs,
  findingRuns: row.finding_runs,
  cpuSeconds: row.cpu_ms / 1000,
  quietCpuSeconds: Math.max(row.billed_ms - row.quiet_from_ms, 0) / 1000,
  lastFindAt: time(row.last_find_at),
  crashGroups: row.crash_groups,
  stuckBy: row.stuck_by,
  ...now,
});

/** A share, and why it is so. */
export interface ShareOfArm {
  readonly share: number;
  readonly reason: string;
}

export const armRecord = (
  row: ArmRow,
  spec: CampaignSpec,
  { share, reason }: ShareOfArm,
): CampaignArm => {
  const build = spec.builds.find(({ name }) => name === row.build);
  return {
    build: row.build,
    engine: build?.engine ?? '',
    targetSha256: build?.targetSha256 ?? '',
    share,
    reason,
    runs: row.runs,
    findingRuns: row.finding_runs,
    cpuSeconds: row.cpu_ms / 1000,
    crashGroups: row.crash_groups,
    since: time(row.since),
  };
};

export const earlierRecord = ({ spec, since, until }: EarlierBuildRow): EarlierBuild => ({
  build: CampaignBuild.fromJSON(JSON.parse(spec)),
  since: time(since),
  until: time(until),
});

export const eventRecord = (row: HistoryRow): CampaignEvent => ({
  time: time(row.time),
  kind: row.kind,
  text: row.text,
});
