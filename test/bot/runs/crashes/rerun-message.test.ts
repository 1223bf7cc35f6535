import { expect, test } from '@jest/globals';
import { describeTries } from '../../../../src/bot/runs/crashes/rerun-message.js';

const tries = (runs: number, crashed: number, own = crashed, wanted = runs) => ({
  ...{ wanted, runs, crashed, own },
});

test.each([
  [tries(5, 5), 'crashed 5 of 5'],
  [tries(5, 2), 'crashed 2 of 5: flaky'],
  [tries(5, 0), 'did not crash in 5 runs'],
  [tries(1, 0), 'did not crash in 1 run'],
  [tries(5, 3, 0), 'crashed 3 of 5, but in another way'],
  [tries(5, 4, 3), 'crashed 3 of 5: flaky; 1 more in another way'],
  [tries(3, 3, 3, 5), 'crashed 3 of 3, out of time before the other 2'],
])('one input: %j', (one, message) => {
  expect(describeTries([one], 1)).toBe(message);
});

test('several inputs are counted, with those that there was no time for', () => {
  const done = [tries(5, 5), tries(5, 2), tries(5, 0), tries(5, 5, 0)];
  const counted = '2 of 4 reproducers crash; 1 of them not each time: flaky';
  const others = '1 more crashes in another way';
  expect(describeTries(done, 4)).toBe(`${counted}; ${others}`);
  expect(describeTries(done, 6)).toMatch(/; out of time: 2 of 6 inputs were not tried$/);
  expect(describeTries([tries(5, 0), tries(5, 0)], 2)).toBe('0 of 2 reproducers crash');
});
