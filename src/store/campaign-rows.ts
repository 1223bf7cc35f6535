import type { RecentSums } from './campaign-sums.js';
import type { QueueRow } from './rows.js';

/** Rows of campaigns that make their runs by themselves. Times are ms since 1970. */

export type CampaignStateName = 'active' | 'paused' | 'ended' | 'archived';

export interface FuzzCampaignRow {
  id: string;
  project: string;
  name: string;
  /** Of its share of the fleet. */
  key: string;
  target_name: string;
  state: CampaignStateName;
  state_reason: string;
  state_since: number;
  created_at: number;
  revision: number;
  /** CampaignSpec as protobuf JSON. */
  spec: string;
  /** When time alone changes what it does. */
  due_at: number | null;
  runs: number;
  finding_runs: number;
  /** Time that its runs held a slot. */
  cpu_ms: number;
  /** The same with at least a minute for each run. */
  billed_ms: number;
  crash_groups: number;
  last_find_at: number | null;
  /** `billed_ms` at the last find, or when it was resumed. */
  quiet_from_ms: number;
  /** `billed_ms` at the last find. */
  last_find_ms: number;
  /** Revision since which crash groups are counted: that of its newest build. */
  groups_since: number;
  /** Since then: runs that ended, groups that they met, and those that one run alone met. */
  group_runs: number;
  groups_met: number;
  groups_once: number;
  /** The forecast whose time is not over (ops/campaigns/keep-score.ts); null: there is none. */
  forecast_from_ms: number | null;
  forecast_until_ms: number | null;
  forecast_hits: number;
  forecast_ms: number;
  forecast_came: 0 | 1;
  /** The health word by which it is stuck; '': it is not. */
  stuck_by: string;
  /** Of its share; null: the key has none on record. */
  weight: number | null;
  max_parallel: number | null;
}

const own = `id, project, name, key, target_name, state, state_reason, state_since, created_at,
  revision, spec, due_at, runs, finding_runs, cpu_ms, billed_ms, crash_groups, last_find_at,
  quiet_from_ms, last_find_ms, groups_since, group_runs, groups_met, groups_once,
  forecast_from_ms, forecast_until_ms, forecast_hits, forecast_ms, forecast_came, stuck_by`;

/** Of the table fuzz_campaigns. */
export const fuzzCampaignColumns = `${own},
  (SELECT weight FROM campaigns WHERE campaigns.key = fuzz_campaigns.key) AS weight,
  (SELECT max_parallel FROM campaigns WHERE campaigns.key = fuzz_campaigns.key) AS max_parallel`;

/** A build of a campaign with what its runs did. */
export interface ArmRow {
  campaign_id: string;
  build: string;
  /** Its place in the spec; null: the spec has it no more. */
  position: number | null;
  /** Of its runs; null: it makes none any more. */
  queue_id: number | null;
  /** Since when it runs its artifact. */
  since: number;
  runs: number;
  finding_runs: number;
  cpu_ms: number;
  crash_groups: number;
  /** Sums that fade (campaign-sums.ts). */
  recent_found: number;
  recent_hits: number;
  recent_ms: number;
  recent_runs: number;
  /** The campaign's bill when they were faded last. */
  stamp_ms: number;
  /** Runs that it is still given whatever it finds. */
  trial_left: number;
  /** JSON: milliseconds that its newest runs held a slot without fuzzing. */
  overheads: string;
  /** Runs on end that fuzzed for hardly any time. */
  short_runs: number;
  /** It makes no run before this, and then one; null: it is not held. */
  held_until: number | null;
  hold_ms: number;
  hold_why: string;
}

export const armColumns = `campaign_id, build, position, queue_id, since, runs, finding_runs,
  cpu_ms, crash_groups, recent_found, recent_hits, recent_ms, recent_runs, stamp_ms, trial_left,
  overheads, short_runs, held_until, hold_ms, hold_why`;

/** The sums of a build as they were written last. */
export const recentOf = (row: ArmRow): RecentSums => ({
  found: row.recent_found,
  hits: row.recent_hits,
  ms: row.recent_ms,
  runs: row.recent_runs,
  stampMs: row.stamp_ms,
});

/** A campaign with all that its runs are made by. */
export interface LoadedCampaign {
  campaign: FuzzCampaignRow;
  /** Those of its spec, in their order. */
  arms: ArmRow[];
  /** Of its arms, each once. */
  queues: QueueRow[];
}

export interface HistoryRow {
  sequence: number;
  time: number;
  kind: string;
  text: string;
}

/** A build that another one took over from. */
export interface EarlierBuildRow {
  build: string;
  /** CampaignBuild as protobuf JSON. */
  spec: string;
  since: number;
  until: number;
}
