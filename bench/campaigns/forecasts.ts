import { newGroupChance } from '../../src/state/campaigns/forecast.js';
import { chanceOf, evidenceOf } from '../../src/store/campaign-forecast.js';
import { normal, type Random, randomFrom } from './chance.js';
import { Deal } from './deal.js';
import { runS, simulate, slots } from './simulate.js';
import { type Engine, SimulatedTarget } from './target.js';

/** A forecast, and whether it came true. */
export interface Told {
  readonly said: number;
  readonly came: boolean;
}

const hourS = 3600;
const budgetS = 600 * hourS;
/** CPU hours of a campaign whose finds are given. */
const streamHours = 400;

/** Mean waiting times from 10 ** from to 10 ** to seconds, evenly in their logarithm. */
const ratesBetween = (random: Random, count: number, [from, to]: readonly [number, number]) =>
  Array.from({ length: count }, () => 10 ** (from + (to - from) * random()));

/** Targets with 2 to 4 engines and 20 to 220 features; half of them behind gates, or none. */
function targetOf(random: Random, hasGates: boolean): SimulatedTarget {
  const base = ratesBetween(random, 20 + Math.floor(random() * 200), [-3, -7.5]);
  const gates = base.map((_, feature) =>
    hasGates && feature > 6 && random() < 0.5 ? feature % 6 : -1,
  );
  const engines = Array.from({ length: 2 + Math.floor(random() * 3) }, (): Engine => {
    const speed = Math.exp(0.7 * normal(random));
    const rates = base.map((rate) => rate * speed * Math.exp(normal(random)));
    return { overheadS: 15, diesAfterS: 0, rates };
  });
  return new SimulatedTarget({ engines, gates });
}

/** Forecasts of the next hour by the product's own code, over campaigns of 600 CPU hours. */
export function forecastsOf(seeds: number, { hasGates }: { hasGates: boolean }): Told[] {
  return Array.from({ length: seeds }, (_, seed) => forecastsIn(seed + 51_001, hasGates)).flat();
}

function forecastsIn(seed: number, hasGates: boolean): Told[] {
  const random = randomFrom(seed);
  const target = targetOf(random, hasGates);
  const deal = new Deal(target.engines.length, { runMs: runS * 1000, isEven: false });
  const made: { said: number; at: number }[] = [];
  const finds: number[] = [];
  let nextLook = (20 + 20 * random()) * hourS;
  const onRun = ({ hasFound, spentS }: { hasFound: boolean; spentS: number }) => {
    if (hasFound) finds.push(spentS);
    if (spentS < nextLook || spentS > budgetS - slots * hourS) return;
    const evidence = evidenceOf(deal.arms, deal.billedMs);
    made.push({ said: chanceOf(evidence, slots * hourS * 1000), at: spentS });
    nextLook = spentS * (1.04 + 0.02 * random());
  };
  simulate(target, deal, { random, budgetS, onRun });
  return made.map(({ said, at }) => ({
    said,
    came: finds.some((time) => time > at && time <= at + slots * hourS),
  }));
}

/** The same of crash groups: of 2 to 31 in a target, met again and again by runs of 10 minutes. */
export function groupForecastsOf(seeds: number): Told[] {
  return Array.from({ length: seeds }, (_, seed) => groupForecastsIn(seed + 77_001)).flat();
}

function groupForecastsIn(seed: number): Told[] {
  const random = randomFrom(seed);
  const rates = ratesBetween(random, 2 + Math.floor(random() * 30), [-3.3, -7]);
  const chances = rates.map((rate) => -Math.expm1(-rate * (runS - 15)));
  const met = new Map<number, number>();
  const firsts: number[] = [];
  const made: { said: number; run: number }[] = [];
  const perHour = (slots * hourS) / runS;
  let nextLook = 20 + 20 * random();
  for (let run = 1; run * runS < budgetS; run++) {
    for (const [group, chance] of chances.entries()) {
      if (random() >= chance) continue;
      const times = (met.get(group) ?? 0) + 1;
      met.set(group, times);
      if (times === 1) firsts.push(run);
    }
    const hours = (run * runS) / hourS;
    if (hours < nextLook || run * runS > budgetS - slots * hourS) continue;
    const groupsOnce = [...met.values()].filter((times) => times === 1).length;
    const evidence = { hits: 0, runs: run, ms: run * runS * 1000 };
    const said = newGroupChance({ groupRuns: run, groupsOnce }, evidence, slots) ?? 0;
    made.push({ said, run });
    nextLook = hours * (1.04 + 0.02 * random());
  }
  return made.map(({ said, run }) => ({
    said,
    came: firsts.some((first) => first > run && first <= run + perHour),
  }));
}

export interface ScoredBin {
  readonly from: number;
  readonly count: number;
  readonly said: number;
  readonly came: number;
}

/** Means of what was said and of what came, in bins with these lower edges. */
export function scored(told: readonly Told[], edges: readonly number[]): ScoredBin[] {
  return edges.flatMap((from, index) => {
    const to = edges[index + 1] ?? Number.POSITIVE_INFINITY;
    const inside = told.filter(({ said }) => said >= from && said < to);
    const count = inside.length;
    if (count === 0) return [];
    const said = inside.reduce((sum, one) => sum + one.said, 0) / count;
    return [{ from, count, said, came: inside.filter(({ came }) => came).length / count }];
  });
}

/** The edges that the figures of the design stand in. */
export const forecastEdges = [0, 0.05, 0.15, 0.35, 0.65, 0.9];
export const groupEdges = [0, 0.02, 0.05, 0.1, 0.2, 0.4];

/** Forecasts over campaigns of one engine whose rate of finding runs is given by the effort, in CPU hours. */
export function streamForecasts(seeds: number, rateAt: (hours: number) => number): Told[] {
  return Array.from({ length: seeds }, (_, seed) =>
    streamForecastsIn(seed + 91_001, rateAt),
  ).flat();
}

function streamForecastsIn(seed: number, rateAt: (hours: number) => number): Told[] {
  const random = randomFrom(seed);
  const deal = new Deal(1, { runMs: runS * 1000, isEven: false });
  const made: { said: number; at: number }[] = [];
  const finds: number[] = [];
  let nextLook = 20 + 20 * random();
  const [runHours, ahead] = [runS / hourS, slots];
  for (let hours = runHours; hours < streamHours; hours += runHours) {
    const hasFound = random() < -Math.expm1(-rateAt(hours) * runHours);
    if (hasFound) finds.push(hours);
    deal.ended(0, { costMs: runS * 1000, hasFound });
    if (hours < nextLook || hours > streamHours - ahead) continue;
    made.push({
      said: chanceOf(evidenceOf(deal.arms, deal.billedMs), ahead * hourS * 1000),
      at: hours,
    });
    nextLook = hours * (1.04 + 0.02 * random());
  }
  return made.map(({ said, at }) => ({
    said,
    came: finds.some((time) => time > at && time <= at + ahead),
  }));
}
