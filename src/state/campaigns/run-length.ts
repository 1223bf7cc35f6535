import type { CampaignSpec } from '../../gen/pandafuzz/v1/campaign_service.js';
import type { ArmRow } from '../../store/campaign-rows.js';

/** Bounds of what a run fuzzes where the spec leaves it open, milliseconds. */
const shortestMs = 600_000;
const longestMs = 3_600_000;
/** A start takes a tenth of a run at most, as far as the longest run allows. */
const startsInRun = 10;

/** Milliseconds that the next run of a build fuzzes, by how long its starts took of late. */
export function lengthOfRun({ runSeconds }: CampaignSpec, { overheads }: ArmRow): number {
  if (runSeconds > 0) return runSeconds * 1000;
  const times = (JSON.parse(overheads) as number[]).sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)] ?? 0;
  return Math.min(Math.max(startsInRun * median, shortestMs), longestMs);
}
