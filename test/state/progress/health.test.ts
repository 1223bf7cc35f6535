import { describe, expect, test } from '@jest/globals';
import { Health } from '../../../src/gen/pandafuzz/v1/statistics_service.js';
import { enginesOf } from '../../../src/state/progress/engines.js';
import { type HealthFacts, healthOf, length } from '../../../src/state/progress/health.js';

const minute = 60_000;
const hour = 60 * minute;
const now = 1_800_000_000_000;

const facts = (more: Partial<HealthFacts>): HealthFacts => ({
  ...{
    now,
    running: 0,
    executions: 0,
    starting: 0,
    pending: 0,
    paused: 0,
    failed: undefined,
    botsOnline: 1,
  },
  ...{ beganAt: now - 10 * hour, foundAt: undefined },
  ...more,
});
const runs = { running: 2, executions: 1000 };
const found = (ms: number) => ({ foundAt: now - ms });
const failed = { since: now - minute, why: 'libpng16.so.16 is missing' };

describe('the health of a target', () => {
  test.each<[string, Partial<HealthFacts>, Health, RegExp]>([
    ['finds', { ...runs, ...found(4 * minute) }, Health.FINDING, /^last find 4 m ago$/],
    ['slows', { ...runs, ...found(40 * minute) }, Health.SLOWING, /^nothing new for 40 m of 10 h$/],
    ['is flat', { ...runs, ...found(3 * hour) }, Health.FLAT, /^nothing new for 3 h of 10 h$/],
    ['never found', runs, Health.FLAT, /^nothing new for 10 h of 10 h$/],
    [
      'is young',
      { ...runs, beganAt: now - 9 * minute, ...found(9 * minute) },
      Health.SLOWING,
      /9 m/,
    ],
    ['began', { running: 1, beganAt: now - 5000 }, Health.FINDING, /^it has begun 5 s ago$/],
    ['executes nothing', { running: 1 }, Health.CANNOT_FUZZ, /executed nothing/],
    ['failed', { failed }, Health.CANNOT_FUZZ, /^libpng16\.so\.16 is missing$/],
    ['failed and tries again', { failed, running: 1 }, Health.CANNOT_FUZZ, /libpng16/],
    ['failed once and runs', { failed, ...runs, ...found(minute) }, Health.FINDING, /last find/],
    ['has no bots', { pending: 3, botsOnline: 0 }, Health.NO_BOTS, /no bot is online/],
    ['waits', { pending: 3, paused: 1 }, Health.WAITING, /wait/],
    ['is being started', { starting: 1 }, Health.WAITING, /starting/],
    ['is paused', { paused: 1 }, Health.PAUSED, /paused/],
    ['is over', {}, Health.ENDED, /no job/],
  ])('that %s is said with its reason', (_, of, health, reason) => {
    expect(healthOf(facts(of))).toEqual({ health, reason: expect.stringMatching(reason) });
  });

  test('has times in two units', () => {
    const shown = [0, 59_999, 90 * 1000, 19 * hour + 20 * minute, 3 * 24 * hour + 4 * hour];
    expect(shown.map(length)).toEqual(['0 s', '59 s', '1 m', '19 h 20 m', '3 d 4 h']);
  });
});

test('coverage is kept apart by engine, and hours without a measure are none', () => {
  const point = (hoursAgo: number, engine: string, coverage: number) => ({
    ...{ time: now - hoursAgo * hour, engine, coverage },
  });
  const points = [
    point(23.5, 'libfuzzer', 0),
    point(23.4, 'libfuzzer', 100),
    point(0.1, 'libfuzzer', 170),
    point(0.1, '', 9),
    point(2.5, 'aflplusplus', 4000),
  ];
  const [afl, libfuzzer, ...more] = enginesOf(points, now);
  expect(more).toEqual([]);
  expect(afl).toMatchObject({ engine: 'aflplusplus', coverage: 4000, gained: 0 });
  expect(libfuzzer).toMatchObject({ engine: 'libfuzzer', coverage: 170, gained: 70 });
  const hours = libfuzzer?.hours.map(({ coverage }) => coverage);
  expect(hours).toEqual([100, ...Array.from({ length: 22 }, () => undefined), 170]);
});
