import { medianOf, quantileOf, randomFrom } from './chance.js';
import { Deal } from './deal.js';
import type { Kind } from './kinds.js';
import { runS, simulate } from './simulate.js';

/** Shares by return beside even shares, and even shares beside themselves with other luck. */

const budgetS = 160 * 3600;
/** Of what even shares reach at the end. */
const goalPart = 0.9;
/** Seeds of what happens differ from those of the target. */
const luckFrom = 7919;

/** Features found by a campaign, at the times in CPU seconds when there were more. */
type Discovery = readonly { readonly spentS: number; readonly found: number }[];

/** Of many campaigns, each beside even shares on the same target. */
export interface Compared {
  /** CPU time until 90 % of what even shares reach at the end; 1: the same. */
  readonly time: { readonly median: number; readonly low: number; readonly high: number };
  /** Features at the end: median; 1: the same. */
  readonly found: number;
  /** Features at the end: mean; 1: the same. */
  readonly meanFound: number;
  /** Part of the campaigns that passed their gate. */
  readonly passed: number;
}

export interface ComparedKind {
  readonly campaigns: number;
  readonly shares: Compared;
  /** What chance alone makes of even shares. */
  readonly luck: Compared;
  /** Part of the campaigns with even shares that passed their gate. */
  readonly passedEvenly: number;
}

/** The same for the same seeds, on any machine. */
export function compareKind(kind: Kind, seeds: number): ComparedKind {
  const campaigns = kind.isVaried ? 3 * seeds : seeds;
  const all = (of: { isEven: boolean; luck: number }) =>
    Array.from({ length: campaigns }, (_, seed) => discoveryOf(kind, seed + 1, of));
  const even = all({ isEven: true, luck: 0 });
  const passedEvenly = passedOf(even, kind);
  const beside = (others: readonly Discovery[]) => compared(others, even, kind);
  return {
    ...{ campaigns, passedEvenly },
    shares: beside(all({ isEven: false, luck: 0 })),
    luck: beside(all({ isEven: true, luck: 1 })),
  };
}

function discoveryOf(
  kind: Kind,
  seed: number,
  { isEven, luck }: { isEven: boolean; luck: number },
): Discovery {
  const target = kind.targetOf(randomFrom(seed));
  const random = randomFrom(seed + luckFrom * (1 + luck));
  const deal = new Deal(target.engines.length, { runMs: runS * 1000, isEven });
  const discovery: { spentS: number; found: number }[] = [];
  const onRun = ({ hasFound, spentS }: { hasFound: boolean; spentS: number }) => {
    if (hasFound) discovery.push({ spentS, found: target.found });
  };
  simulate(target, deal, { random, budgetS, onRun });
  return discovery;
}

const endOf = (discovery: Discovery): number => discovery.at(-1)?.found ?? 0;

const timeTo = (discovery: Discovery, goal: number): number =>
  discovery.find(({ found }) => found >= goal)?.spentS ?? budgetS;

function compared(all: readonly Discovery[], even: readonly Discovery[], kind: Kind): Compared {
  const pairs = all.map((one, seed) => ({ one, beside: even[seed] ?? [] }));
  const times = pairs.map(({ one, beside }) => {
    const goal = Math.ceil(goalPart * endOf(beside));
    return timeTo(one, goal) / timeTo(beside, goal);
  });
  const [low, high] = [quantileOf(times, 0.1), quantileOf(times, 0.9)];
  const sum = (discoveries: readonly Discovery[]) =>
    discoveries.reduce((total, one) => total + endOf(one), 0);
  return {
    time: { median: medianOf(times), low, high },
    found: medianOf(pairs.map(({ one, beside }) => endOf(one) / Math.max(1, endOf(beside)))),
    meanFound: sum(all) / sum(even),
    passed: passedOf(all, kind),
  };
}

const passedOf = (all: readonly Discovery[], { passedAbove = 0 }: Kind): number =>
  all.filter((one) => endOf(one) > passedAbove).length / all.length;
