import { writeOperation } from '../../operation.js';
import { run, type Steps, statement } from '../../statement.js';

const mark = statement<{ now: number }>('UPDATE vitals SET written_at = @now WHERE id = 1');

/** Writes a row like any other write, as a check that writing works. */
export const markAlive = writeOperation('mark_alive', 'work', function* (now: number): Steps<void> {
  yield* run(mark, { now });
});
