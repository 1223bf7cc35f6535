import { describe, expect, test } from '@jest/globals';
import {
  forecastEdges,
  forecastsOf,
  groupEdges,
  groupForecastsOf,
  scored,
  streamForecasts,
} from '../../../bench/campaigns/forecasts.js';
import { figuresOf, newGroupChance } from '../../../src/state/campaigns/forecast.js';
import { type SoFar, sentencesOf } from '../../../src/state/campaigns/forecast-words.js';
import { partBelow, quantile } from '../../../src/state/campaigns/gamma.js';
import { chanceOf, type Evidence } from '../../../src/store/campaign-forecast.js';

const hour = 3_600_000;
const after = (hits: number, hours: number, runs = hours * 6): Evidence => ({
  ...{ hits, runs, ms: hours * hour },
});
const so: SoFar = { runs: 300, cpuHours: 60, quietCpuHours: 5, hasFound: true, running: 4 };

/** The sentences about such evidence, before so many CPU hours. */
function told(
  evidence: Evidence,
  hours = 4,
  groups = { groupRuns: 228, groupsMet: 7, groupsOnce: 2 },
) {
  const figures = figuresOf(evidence, hours);
  const chance = newGroupChance(groups, evidence, hours);
  const scores = [{ from: 0.4, forecasts: 30, said: 0.44, came: 0.4 }];
  const forecast = { ...figures, ...groups, isKnown: true, newGroupChance: chance, scores };
  return sentencesOf(forecast, so);
}

describe('the chance of a find', () => {
  test('comes true as often as it says, on campaigns without and with gates', () => {
    const forecasts = [false, true].flatMap((hasGates) => forecastsOf(5, { hasGates }));
    const bins = scored(forecasts, forecastEdges).filter(({ count }) => count >= 40);
    expect(bins.length).toBeGreaterThanOrEqual(4);
    for (const { from, said, came } of bins) {
      expect({ from, isTrue: Math.abs(said - came) < 0.1 }).toEqual({ from, isTrue: true });
    }
  });

  test('comes true as often as it says over streams of finds of every kind', () => {
    const streams: readonly ((hours: number) => number)[] = [
      (hours) => 20 / hours,
      (hours) => 3 / Math.sqrt(hours),
      () => 0.1,
      () => 0.02,
      (hours) => (hours < 200 ? 0.01 : 0.4),
      () => 0,
    ];
    const forecasts = streams.flatMap((rateAt) => streamForecasts(10, rateAt));
    const bins = scored(forecasts, forecastEdges).filter(({ count }) => count >= 40);
    expect(bins.length).toBeGreaterThanOrEqual(5);
    for (const { from, said, came } of bins) {
      expect({ from, isTrue: Math.abs(said - came) < 0.1 }).toEqual({ from, isTrue: true });
    }
    for (const { said } of streamForecasts(2, () => 0)) {
      expect(said).toBeGreaterThan(0);
      expect(said).toBeLessThan(0.15);
    }
  });

  test('is what the two sums say, with a range around it', () => {
    // By hand: 1 - (38 / 42) ^ (0.75 * 6 + 0.25).
    expect(chanceOf(after(6, 38), 4 * hour)).toBeCloseTo(0.3784, 4);
    const { chance, low, high, isBound } = figuresOf(after(6, 38), 4);
    expect(isBound).toBe(false);
    expect(low).toBeLessThan(chance);
    expect(high).toBeGreaterThan(chance);
    expect(low).toBeCloseTo(1 - Math.exp((-quantile(4.75, 0.1) * 4) / 38), 12);
    expect(high).toBeCloseTo(1 - Math.exp((-quantile(4.75, 0.9) * 4) / 38), 12);
  });

  test('is a bound where hardly anything was found', () => {
    const { low, high, isBound } = figuresOf(after(0.3, 40), 4);
    expect([low, isBound]).toEqual([0, true]);
    expect(high).toBeCloseTo(1 - Math.exp(-0.3), 12);
  });

  test('is a number, and no certainty, without finds, effort or time ahead', () => {
    for (const hits of [0, 1e-9, 0.4, 0.6, 5, 1e6]) {
      for (const hours of [0, 1e-9, 2, 1e6]) {
        for (const ahead of [0, 1, 1000]) {
          const figures = Object.values(figuresOf(after(hits, hours), ahead)).map(Number);
          expect({ hits, hours, ahead, figures: figures.filter((one) => !(one >= 0)) }).toEqual({
            ...{ hits, hours, ahead, figures: [] },
          });
          const words = told(after(hits, hours), ahead).join(' ');
          expect(words).not.toMatch(/NaN|undefined|Infinity|\b0 in 10|\b0 to \d+ in|10 in 10/);
        }
      }
    }
  });
});

describe('the chance of a new crash group', () => {
  test('comes true about as often as it says, up to a quarter', () => {
    const bins = scored(groupForecastsOf(30), groupEdges).filter(({ said }) => said <= 0.25);
    expect(bins.length).toBeGreaterThanOrEqual(3);
    for (const { from, said, came } of bins) {
      expect({ from, isTrue: Math.abs(said - came) < 0.1 }).toEqual({ from, isTrue: true });
    }
  });

  test('is not given before 12 runs of a build', () => {
    const groups = { groupRuns: 11, groupsOnce: 1 };
    expect(newGroupChance(groups, after(1, 10), 4)).toBeUndefined();
    expect(newGroupChance({ ...groups, groupRuns: 12 }, after(1, 10), 4)).toBeGreaterThan(0);
  });
});

describe('the sentences', () => {
  test('name CPU hours, chance, range, groups, what they do not cover, and their record', () => {
    expect(told(after(6, 38))).toEqual([
      'In its last 38 CPU hours about 6 of 228 runs found something new, the latest find 5 CPU hours ago.',
      'At this pace the next hour (4 CPU hours) has a chance of about 4 in 10 to find more (range 2 to 6 in 10).',
      'Of 7 crash groups 2 were met in one run only: about 2 in 10 for a new one.',
      'This is about what these engines still find with this corpus; it says nothing about code that they do not reach.',
      'There are too few earlier forecasts like it (30 to 40 %) to compare it with.',
    ]);
    expect(told(after(8, 38)).at(-1)).toBe(
      'Of 30 earlier forecasts like it (40 to 50 %), 12 came true.',
    );
  });

  test('before a forecast say what it waits for, and nothing that there is enough of', () => {
    const early = (runs: number, cpuHours: number) => {
      const none = { isKnown: false } as Parameters<typeof sentencesOf>[0];
      const so = { runs, cpuHours, quietCpuHours: 0, hasFound: false, running: 0 };
      return sentencesOf(none, so).join().replace(/.*: /, '');
    };
    expect(early(0, 0)).toBe('0 of 12 runs, 0 of 2 CPU hours');
    expect(early(16, 1.99)).toBe('1.9 of 2 CPU hours');
    expect(early(3, 5)).toBe('3 of 12 runs');
  });

  test('give a bound where hardly anything was found', () => {
    const [found, next] = told(after(0.2, 38));
    expect(found).toMatch(/hardly any of 228 runs found something new/);
    expect(next).toBe(
      'At this pace the next hour (4 CPU hours) has a chance of less than 3 in 10 to find something new.',
    );
  });

  test('promise no more than they can of crash groups', () => {
    const groups = { groupRuns: 100, groupsMet: 9, groupsOnce: 8 };
    expect(told(after(6, 38), 4, groups)[2]).toBe(
      'Of 9 crash groups 8 were met in one run only: at most about 9 in 10 for a new one.',
    );
    const none = { groupRuns: 400, groupsMet: 0, groupsOnce: 0 };
    expect(told(after(6, 38), 4, none)[2]).toBe(
      'None of 400 runs met a crash: about 1 in 34 for one.',
    );
  });
});

test('points of the gamma distribution are those of tables', () => {
  expect(quantile(1, 0.1)).toBeCloseTo(-Math.log(0.9), 10);
  expect(quantile(1, 0.9)).toBeCloseTo(Math.log(10), 10);
  // Halves of the chi-squared distribution's points with 10 and 20 degrees of freedom.
  expect(quantile(5, 0.5)).toBeCloseTo(9.341_818 / 2, 5);
  expect(quantile(10, 0.9)).toBeCloseTo(28.411_98 / 2, 4);
  for (const shape of [0.25, 0.4, 0.625, 3.7, 250, 100_000]) {
    for (const part of [0.1, 0.9]) {
      expect(partBelow(shape, quantile(shape, part))).toBeCloseTo(part, 8);
    }
  }
});
