import { writeOperation } from '../../operation.js';
import { run, statement } from '../../statement.js';

interface PruneSeries {
  stepS: number;
  olderThan: number;
  limit: number;
}

const remove = statement<PruneSeries>(`
  DELETE FROM series WHERE (subject, step_s, time, engine) IN (
    SELECT subject, step_s, time, engine FROM series
    WHERE step_s = @stepS AND time < @olderThan ORDER BY time LIMIT @limit)`);

/**
 * Removes buckets of one length from before `olderThan`, `limit` at most.
 *
 * @returns how many were removed
 */
export const pruneSeries = writeOperation('prune_series', 'upkeep', (input: PruneSeries) =>
  run(remove, input),
);
