import { msOfHour } from './campaign-end.js';
import { fadedTo, type RecentSums } from './campaign-sums.js';

/**
 * Whether there is more to find, from what runs found lately: sums that fade (campaign-sums.ts),
 * over all builds of a campaign.
 */
export interface Evidence {
  /** Runs that found something. */
  readonly hits: number;
  readonly runs: number;
  /** What the runs were billed, milliseconds. */
  readonly ms: number;
}

/** Before so many runs, and so much CPU time, nothing is said. */
export const leastRuns = 12;
export const leastMs = 2 * msOfHour;

/**
 * A rate of finds that falls with the root of the effort is a third higher over the time that
 * the sums remember than at its end: so many finds are counted of one that was made.
 */
const lessened = 0.75;
/** As much as is taken to have been found before: without a find there is a chance, too. */
const priorHits = 0.25;

/** The sums of all builds, when the campaign has been billed so much. */
export function evidenceOf(
  arms: readonly { readonly recent: RecentSums; readonly runMs: number }[],
  billedMs: number,
): Evidence {
  const builds = arms.length;
  const faded = arms.map(({ recent, runMs }) => fadedTo(recent, billedMs, { runMs, builds }));
  const sum = (of: 'hits' | 'runs' | 'ms') => faded.reduce((total, one) => total + one[of], 0);
  return { hits: sum('hits'), runs: sum('runs'), ms: sum('ms') };
}

/** Finds of the sums as they count for what comes; more than 0. */
export const shapeOf = ({ hits }: Pick<Evidence, 'hits'>): number => lessened * hits + priorHits;

/**
 * The chance that something is found in so much more CPU time; 0 without effort before it, or
 * after it.
 */
export function chanceOf(evidence: Pick<Evidence, 'hits' | 'ms'>, aheadMs: number): number {
  if (evidence.ms <= 0 || aheadMs <= 0) return 0;
  return 1 - (evidence.ms / (evidence.ms + aheadMs)) ** shapeOf(evidence);
}

export const mostBins = 10;

/** Forecasts are compared with what came in tenths of the chance that they gave. */
export const binOf = (chance: number): number =>
  Math.min(Math.max(Math.floor(chance * mostBins), 0), mostBins - 1);
