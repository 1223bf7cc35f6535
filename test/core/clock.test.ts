import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/core/clock.js';
import { atEnd } from '../harness.js';

const hours = 3_600_000;

describe('the clock', () => {
  test.each([2 * hours, -2 * hours])('is not moved by a wall clock set by %d ms', (jump) => {
    const { now } = Date;
    atEnd(() => {
      Date.now = now;
    });
    const before = systemClock.now();
    expect(Math.abs(before - now())).toBeLessThan(1000);
    Date.now = () => now() + jump;
    expect(systemClock.now() - before).toBeGreaterThanOrEqual(0);
    expect(systemClock.now() - before).toBeLessThan(1000);
  });
});
