/** What the runs of a campaign's build found and cost, where recent ones count more. */
export interface RecentSums {
  /** Runs that found something, with more for new crash groups. */
  readonly found: number;
  /** Runs that found something. */
  readonly hits: number;
  /** What its runs were billed, milliseconds. */
  readonly ms: number;
  /** Its runs. */
  readonly runs: number;
  /** What the campaign was billed when they were faded last, milliseconds. */
  readonly stampMs: number;
}

/** Runs of each build after which a young campaign has forgotten most of what was. */
const youngRuns = 6;
/** An old campaign fades by this power of its effort: it remembers the last third or so. */
const power = 3;

/**
 * What is left of sums when a campaign's bill has grown from `fromMs` to `toMs`: by the
 * campaign's effort and not by the clock, so that a pause forgets nothing. One step has the
 * same result as many.
 *
 * @param runMs planned of a run
 * @param builds of the campaign
 */
export function keptOf(
  { fromMs, toMs }: { fromMs: number; toMs: number },
  { runMs, builds }: { runMs: number; builds: number },
): number {
  const youngMs = youngRuns * runMs * Math.max(builds, 1);
  const kneeMs = power * youngMs;
  const from = Math.max(fromMs, 0);
  const to = Math.max(toMs, from);
  const young = Math.exp((Math.min(from, kneeMs) - Math.min(to, kneeMs)) / youngMs);
  return young * (Math.max(from, kneeMs) / Math.max(to, kneeMs)) ** power;
}

/** Sums as they are when the campaign has been billed so much. */
export function fadedTo(
  sums: RecentSums,
  stampMs: number,
  of: { runMs: number; builds: number },
): RecentSums {
  const kept = keptOf({ fromMs: sums.stampMs, toMs: stampMs }, of);
  const { found, hits, ms, runs } = sums;
  return { found: found * kept, hits: hits * kept, ms: ms * kept, runs: runs * kept, stampMs };
}

/** Runs in which a new build has an even share at least. */
export const trialRuns = 4;

/** What a new crash group is worth, in runs that found something. */
const groupWorth = 4;
/** New crash groups of one run that count. */
const mostGroups = 3;

/** What a run is credited. */
export const rewardOf = ({ found, groups }: { found: boolean; groups: number }): number =>
  (found ? 1 : 0) + groupWorth * Math.min(groups, mostGroups);
