import { readOperation } from '../../operation.js';
import { all, type Steps, statement } from '../../statement.js';

const select = statement<object, { name: string; value: number }>(
  'SELECT name, CAST(sum(value) AS BIGINT) AS value FROM counters GROUP BY name',
);

/** How many there are of everything, by name, e.g. "jobs.pending". */
export const readCounters = readOperation('read_counters', function* (_: null): Steps<
  Record<string, number>
> {
  const rows = yield* all(select, {});
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
});
