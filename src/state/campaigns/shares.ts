import { fadedTo, type RecentSums, trialRuns } from '../../store/campaign-sums.js';
import type { ShareOfArm } from './records.js';

/** Part of the CPU time that is dealt evenly over the builds, whatever they find. */
const floor = 0.5;
/** The rest goes by this power of each build's rate of finds. */
const power = 3;
/** Runs as good as the campaign's average that each build is taken to have had before. */
const priorRuns = 2;
/** As much as the campaign is taken to have found before: with nothing found all are alike. */
const priorFinds = 0.5;
/** Fewer finds than this are told as none. */
const leastTold = 0.05;

/** A build as its share depends on it. */
export interface ShareFigures {
  readonly build: string;
  readonly recent: RecentSums;
  /** Planned of a run. */
  readonly runMs: number;
  /** Runs that are left of its trial. */
  readonly trialLeft: number;
  /** 0: not pinned. */
  readonly pinnedPercent: number;
  /** Why it is held; '': it is not. */
  readonly held: string;
}

interface Rated {
  readonly arm: ShareFigures;
  readonly sums: RecentSums;
  /** Finds a millisecond. */
  readonly rate: number;
  readonly mean: number;
}

/**
 * How a campaign's CPU time is divided over its builds, with the reason for each. Pins come
 * off the top. Of the rest, half is dealt evenly, and half by the cube of what each build
 * finds in its CPU time; a new build has an even share at least for its first runs. Builds
 * that are held leave what they had to the others.
 *
 * @param billedMs what the campaign was billed by now
 */
export function sharesOf(
  arms: readonly ShareFigures[],
  { billedMs, isEven }: { billedMs: number; isEven: boolean },
): ReadonlyMap<string, ShareOfArm> {
  const shares = new Map<string, ShareOfArm>();
  for (const { build, held } of arms) if (held) shares.set(build, { share: 0, reason: held });
  const active = arms.filter(({ held }) => held === '');
  const pinned = active.filter(({ pinnedPercent }) => pinnedPercent > 0);
  const others = active.filter(({ pinnedPercent }) => pinnedPercent === 0);
  const wanted = pinned.reduce((sum, { pinnedPercent }) => sum + pinnedPercent / 100, 0);
  // With nobody to take the rest, the pins divide all of it.
  const scale = others.length === 0 && wanted > 0 ? 1 / wanted : 1;
  for (const { build, pinnedPercent } of pinned) {
    const share = (pinnedPercent / 100) * scale;
    shares.set(build, { share, reason: `pinned to ${pinnedPercent} %` });
  }
  const left = Math.max(1 - wanted, 0);
  const dealt = isEven ? evenly(others) : byReturn(others, { billedMs, builds: arms.length });
  for (const [build, { share, reason }] of dealt) {
    const why = left > 0 ? reason : 'pins take all of the CPU time';
    shares.set(build, { share: share * left, reason: why });
  }
  return shares;
}

function evenly(arms: readonly ShareFigures[]): ReadonlyMap<string, ShareOfArm> {
  const reason = arms.length === 1 ? 'the only build to share with' : 'even shares';
  return new Map(arms.map(({ build }) => [build, { share: 1 / arms.length, reason }]));
}

function byReturn(
  arms: readonly ShareFigures[],
  of: { billedMs: number; builds: number },
): ReadonlyMap<string, ShareOfArm> {
  if (arms.length <= 1) return evenly(arms);
  const rated = ratesOf(arms, of);
  const weights = returnParts(rated);
  return new Map(
    rated.map((one, index) => {
      const share = floor / arms.length + (1 - floor) * (weights[index] ?? 0);
      return [one.arm.build, { share, reason: reasonFor(one) }];
    }),
  );
}

function ratesOf(
  arms: readonly ShareFigures[],
  { billedMs, builds }: { billedMs: number; builds: number },
): Rated[] {
  const faded = arms.map(({ recent, runMs }) => fadedTo(recent, billedMs, { runMs, builds }));
  const runMs = arms.reduce((sum, arm) => sum + arm.runMs, 0) / arms.length;
  const found = faded.reduce((sum, one) => sum + one.found, 0);
  const ms = faded.reduce((sum, one) => sum + one.ms, 0);
  const mean = (found + priorFinds) / (ms + runMs);
  const priorMs = priorRuns * runMs;
  return arms.map((arm, index) => {
    const sums = faded[index] ?? arm.recent;
    return { arm, sums, mean, rate: (sums.found + priorMs * mean) / (sums.ms + priorMs) };
  });
}

/** Parts of what is dealt by return; those on trial have an even one at least. */
function returnParts(rated: readonly Rated[]): number[] {
  const cubes = rated.map(({ rate, mean }) => (rate / mean) ** power);
  const sum = cubes.reduce((total, cube) => total + cube, 0);
  const isFixed = rated.map(
    ({ arm }, index) => arm.trialLeft > 0 && (cubes[index] ?? 0) / sum < 1 / rated.length,
  );
  const fixed = isFixed.filter(Boolean).length / rated.length;
  const others = cubes.reduce((total, cube, index) => total + (isFixed[index] ? 0 : cube), 0);
  return cubes.map((cube, index) =>
    isFixed[index] ? 1 / rated.length : (cube / others) * (1 - fixed),
  );
}

function reasonFor({ arm, sums, rate, mean }: Rated): string {
  const hours = `${figure(sums.ms / 3_600_000)} CPU hours`;
  if (arm.trialLeft > 0) {
    return `trial of a new build, run ${trialRuns - arm.trialLeft + 1} of ${trialRuns}`;
  }
  const ratio = `${figure(rate / mean)} times the average here`;
  if (sums.found < leastTold) return `nothing new in its last ${hours}, ${ratio}`;
  return `${figure(sums.found)} finds in its last ${hours}, ${ratio}`;
}

/** Two digits, or as many as there are before the point. */
const figure = (value: number): string =>
  value >= 10 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2);
