import { writeOperation } from '../../operation.js';

/**
 * Removes the oldest events from before `olderThan`, `limit` at most. Events are
 * in the order of their time, so only the front of the log is looked at. The
 * newest stays: it says where watchers that are up to date go on.
 *
 * @returns how many were removed
 */
export const pruneEvents = writeOperation('prune_events', 'upkeep', (db) => {
  const remove = db.prepare<[number, number]>(`
    DELETE FROM events WHERE sequence IN (
      SELECT sequence FROM events WHERE sequence > 0 ORDER BY sequence LIMIT ?)
      AND time < ? AND sequence < (SELECT max(sequence) FROM events)`);
  return (input: { olderThan: number; limit: number }): number =>
    remove.run(input.limit, input.olderThan).changes;
});
