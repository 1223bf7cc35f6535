import { messageOf } from '../../../src/core/errors.js';
import { replay } from '../../guarantees/replay.js';
import type { Evidence, Violation } from './evidence.js';

/** The counters equal what the events add up to, and the rows that they count. */
export function wrongCounters({ database }: Evidence): Violation[] {
  const counters = Object.fromEntries(
    database.prepare<[], [string, number]>('SELECT name, value FROM counters').raw().all(),
  );
  const differing = (by: string, counted: Readonly<Record<string, number>>) =>
    Object.entries(counted)
      .filter(([name, count]) => counters[name] !== count)
      .map(([name, count]) => ({
        rule: 'counters' as const,
        what: `${name} is ${counters[name]}, and ${count} by ${by}`,
      }));
  let byEvents: Violation[];
  try {
    byEvents = differing('events', replay(database));
  } catch (error) {
    byEvents = [{ rule: 'counters', what: messageOf(error) }];
  }
  const rows = database.prepare<[], [string, number]>(`
    SELECT 'jobs.' || state, count(*) FROM jobs GROUP BY state
    UNION ALL SELECT 'bots', count(*) FROM bots WHERE forgotten_at IS NULL
    UNION ALL SELECT 'crash_inputs_kept', count(*) FROM crashes
    UNION ALL SELECT 'crash_groups', count(*) FROM crash_groups
    UNION ALL SELECT 'blob_file_bytes', coalesce(sum(size_bytes), 0) FROM blobs WHERE pack_id IS NULL
    UNION ALL SELECT 'pack_bytes', coalesce(sum(size_bytes), 0) FROM packs`);
  return [...byEvents, ...differing('rows', Object.fromEntries(rows.raw().all()))];
}
