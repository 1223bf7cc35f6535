import { writeOperation } from '../../operation.js';

/**
 * Lets the first `limit` jobs that waited for their time be handed out.
 *
 * @returns the queues they are in
 */
export const readyJobs = writeOperation('ready_jobs', 'work', (db) => {
  const release = db
    .prepare<[object], number>(`
      UPDATE jobs SET delayed = 0 WHERE id IN (
        SELECT id FROM jobs WHERE delayed = 1 AND ready_at <= @now
        ORDER BY ready_at, id LIMIT @limit)
      RETURNING queue_id`)
    .pluck();
  return (input: { now: number; limit: number }): number[] => [...new Set(release.all(input))];
});
