import { writeOperation } from '../../operation.js';
import { run, statement } from '../../statement.js';

interface PruneEvents {
  olderThan: number;
  limit: number;
}

const remove = statement<PruneEvents>(`
  DELETE FROM events WHERE sequence IN (
    SELECT sequence FROM events WHERE sequence > 0 ORDER BY sequence LIMIT @limit)
    AND time < @olderThan AND sequence < (SELECT max(sequence) FROM events)`);

/**
 * Removes the oldest events from before `olderThan`, `limit` at most. Events are in the
 * order of their time, so only the front of the log is read. The newest event stays: its
 * sequence is the cursor of watchers that are up to date.
 *
 * @returns how many were removed
 */
export const pruneEvents = writeOperation('prune_events', 'upkeep', (input: PruneEvents) =>
  run(remove, input),
);
