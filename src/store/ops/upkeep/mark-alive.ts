import { writeOperation } from '../../operation.js';
import { one, run, type Steps, statement } from '../../statement.js';

const mark = statement<{ now: number }>(
  'UPDATE vitals SET written_at = @now, marks = marks + 1 WHERE id = 1',
);
const select = statement<object, { marks: number }>('SELECT marks FROM vitals WHERE id = 1');

/**
 * Writes a row like any other write, as a check that writing works.
 *
 * @returns how often that was done, ever
 */
export const markAlive = writeOperation(
  'mark_alive',
  'work',
  function* (now: number): Steps<number> {
    yield* run(mark, { now });
    return (yield* one(select, {}))?.marks ?? 0;
  },
);
