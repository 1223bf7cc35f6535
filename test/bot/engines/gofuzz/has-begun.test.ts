import { expect, test } from '@jest/globals';
import { goFuzz } from '../../../../src/bot/engines/gofuzz/gofuzz.js';

test('a replay has begun with its input also where the target calls os.Exit, of which Go prints nothing', () => {
  const exit = { code: 3, signal: null };
  const output = '=== RUN   FuzzExit\n=== RUN   FuzzExit/input\n';
  expect(goFuzz.hasBegun(output, exit)).toBe(true);
  expect(goFuzz.hasBegun('testing: warning: no tests to run\n', exit)).toBe(false);
});
