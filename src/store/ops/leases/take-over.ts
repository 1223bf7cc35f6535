import { writeOperation } from '../../operation.js';
import type { LeaseRow } from '../../rows.js';
import { leaseRows } from '../../sql.js';
import { all, run, type Steps, statement } from '../../statement.js';

interface TakeOver {
  /** The master that takes them. */
  master: number;
}

/**
 * The ids first, and the leases by the ids: a condition on `masters` in the UPDATE would be judged
 * by a state from before it waited, and rob a master that has started meanwhile.
 */
const dead = statement<TakeOver, { master: number }>({
  sqlite: null,
  postgres: `SELECT DISTINCT master FROM leases
    WHERE NOT EXISTS (SELECT 1 FROM masters WHERE masters.id = leases.master)`,
});
const take = statement<{ master: number; dead: number }>({
  sqlite: null,
  postgres: 'UPDATE leases SET master = @master WHERE master = @dead',
});
const taken = statement<TakeOver, LeaseRow>({
  sqlite: null,
  postgres: `${leaseRows} WHERE leases.master = @master ORDER BY job_id`,
});

/**
 * Takes the leases of masters that are gone.
 *
 * @returns all leases of this master, if there were any
 */
export const takeOver = writeOperation('take_over', 'result', function* (input: TakeOver): Steps<
  LeaseRow[]
> {
  const gone = yield* all(dead, input);
  for (const { master } of gone) yield* run(take, { ...input, dead: master });
  return gone.length > 0 ? yield* all(taken, input) : [];
});
