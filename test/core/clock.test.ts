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
    const beganAt = systemClock.monotonic();
    const before = systemClock.now();
    expect(Math.abs(before - now())).toBeLessThan(hours); // it did begin as the wall clock
    Date.now = () => now() + jump;
    const passedMs = systemClock.now() - before;
    expect(passedMs).toBeGreaterThanOrEqual(0);
    expect(passedMs).toBeLessThanOrEqual(systemClock.monotonic() - beganAt + 1); // whole ones
  });
});
