import { writeOperation } from '../../operation.js';
import { run, statement } from '../../statement.js';

interface PruneSamples {
  olderThan: number;
  limit: number;
}

const remove = statement<PruneSamples>(`
  DELETE FROM samples WHERE (job_id, time) IN (
    SELECT job_id, time FROM samples WHERE time < @olderThan ORDER BY time LIMIT @limit)`);

/**
 * Removes samples from before `olderThan`, `limit` at most.
 *
 * @returns how many were removed
 */
export const pruneSamples = writeOperation('prune_samples', 'upkeep', (input: PruneSamples) =>
  run(remove, input),
);
