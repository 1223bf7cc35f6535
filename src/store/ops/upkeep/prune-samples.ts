import { writeOperation } from '../../operation.js';

/**
 * Removes samples from before `olderThan`, `limit` at most.
 *
 * @returns how many were removed
 */
export const pruneSamples = writeOperation('prune_samples', 'upkeep', (db) => {
  const remove = db.prepare<[number, number]>(`
    DELETE FROM samples WHERE (job_id, time) IN (
      SELECT job_id, time FROM samples WHERE time < ? ORDER BY time LIMIT ?)`);
  return (input: { olderThan: number; limit: number }): number =>
    remove.run(input.olderThan, input.limit).changes;
});
