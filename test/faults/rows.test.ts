import { describe, expect, test } from '@jest/globals';
import { seed } from '../property/replaying.js';
import { rows } from './rows.js';

/**
 * Short forms of the rows of `make faults`; SEED repeats one. Left to `make faults`, as they cost
 * more, or have tests of their own beside this: 2, 3 and 5 (strace), 4 (full-disk.test.ts), 7, 12
 * (integration/clock.test.ts), 13 (stop.test.ts), 14, 17 (integration/killed-bot.test.ts) and 18
 * (core/log.test.ts).
 */
const short = [1, 6, 8, 9, 10, 11, 15, 16];

describe('faults, in short', () => {
  test.each(rows.filter(({ number }) => short.includes(number)))(
    '$number, $fault: $promise',
    async (row) => {
      const { fired, violations } = await row.run({ seed, isShort: true });
      expect({ seed, violations }).toEqual({ seed, violations: [] });
      expect(fired).toBeGreaterThan(0);
    },
  );
});
