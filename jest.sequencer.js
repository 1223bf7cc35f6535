import Sequencer from '@jest/test-sequencer';

/** Tests that start programs and wait for them are small files that take long. */
const slow = ['/faults/', '/integration/', '/bot/', '/cli/'];

/**
 * The order of test files. Jest begins with the largest, as a fresh checkout knows no times: a small
 * file that takes two minutes may then be the last one, and run alone.
 */
export default class SlowFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => slow.findIndex((folder) => path.includes(folder)) + 1 || 9;
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
}
