import { describe, expect, test } from '@jest/globals';
import { Stint } from '../../../src/bot/runs/stint.js';

/** Starts a target until its length is known, or the search is given up; returns the limits tried. */
function search(stint: Stint, lengthOf: (start: number) => number): (number | undefined)[] {
  const tried: (number | undefined)[] = [];
  stint.endedEarly(undefined, 1);
  for (let start = 0; start < 60; start++) {
    const { runs } = stint;
    tried.push(runs);
    if (runs !== undefined && runs < lengthOf(start)) stint.reached(runs);
    else stint.endedEarly(runs, 1);
  }
  return tried;
}

describe('a stint', () => {
  test('has no limit until a target has ended by itself', () => {
    expect(new Stint().runs).toBeUndefined();
  });

  test.each([1, 2, 700, 300_000, 123_456_789])(
    'finds the length of a target that ends after %i executions, and stays below it',
    (length) => {
      const stint = new Stint();
      const tried = search(stint, () => length);
      expect(stint.isKnown || tried.at(-1) === undefined).toBe(true);
      if (!stint.isKnown) return;
      const [fewest, most] = stint.range;
      expect(fewest).toBeLessThan(length);
      expect(most).toBeGreaterThanOrEqual(length);
      expect(most).toBeLessThanOrEqual(fewest * 1.04 + 1);
      expect(tried.at(-1)).toBe(fewest > 0 ? fewest : undefined);
    },
  );

  test.each([700, 300_000])('is known for a length of %i', (length) => {
    const stint = new Stint();
    search(stint, () => length);
    expect(stint.isKnown).toBe(true);
  });

  test('is given up for a target that ends now sooner, now later', () => {
    const stint = new Stint();
    const tried = search(stint, (start) => (start % 3 === 0 ? 100 : 1_000_000));
    expect(tried.at(-1)).toBeUndefined();
    expect(stint.isKnown).toBe(false);
  });
});
