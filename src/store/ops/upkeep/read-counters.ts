import { readOperation } from '../../operation.js';

/** How many there are of everything, by name, e.g. "jobs.pending". */
export const readCounters = readOperation('read_counters', (db) => {
  const select = db.prepare<[], { name: string; value: number }>(
    'SELECT name, value FROM counters',
  );
  return (_: null): Record<string, number> =>
    Object.fromEntries(select.all().map(({ name, value }) => [name, value]));
});
