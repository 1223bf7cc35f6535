import { expect, test } from '@jest/globals';
import { compareKind } from '../../../bench/campaigns/compare.js';
import { kinds } from '../../../bench/campaigns/kinds.js';
import { ArmTurns } from '../../../src/state/campaigns/arm-turns.js';
import { given } from '../../steps.js';

const compared = (name: string, seeds = 4) =>
  compareKind(given(kinds.find((kind) => kind.name === name)), seeds);

test('shares by return reach the goal of even shares sooner where engines are unequal', () => {
  for (const name of ['one engine 4 times faster', 'fast and flat, slow and steady, useless']) {
    const { shares } = compared(name);
    expect({ name, isSooner: shares.time.median < 0.9 }).toEqual({ name, isSooner: true });
    expect(shares.found).toBeGreaterThan(1);
  }
});

test('they cost next to nothing where engines are alike', () => {
  const { shares, luck } = compared('all alike');
  expect(Math.abs(shares.time.median - luck.time.median)).toBeLessThan(0.1);
  expect(Math.abs(shares.found - 1)).toBeLessThan(0.02);
});

test('a campaign that is simulated again comes out the same', () => {
  expect(compared('nearly saturated', 2)).toEqual(compared('nearly saturated', 2));
});

test('a turn looks once at each build, however many turns there were', () => {
  const builds = Array.from({ length: 20 }, (_, index) => `build-${index}`);
  const shares = new Map(builds.map((build) => [build, 1 / builds.length]));
  const turns = new ArmTurns();
  for (let turn = 0; turn < 100; turn++) {
    const asked: string[] = [];
    const taken = turns.take(shares, builds, (build) => {
      asked.push(build);
      return 600_000;
    });
    // The one that is taken is asked once more, for what it is charged.
    expect(asked).toEqual([...builds, taken]);
  }
});
