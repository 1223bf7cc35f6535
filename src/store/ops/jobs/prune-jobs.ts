import { writeOperation } from '../../operation.js';
import { eventRecorder } from '../events/record-event.js';

/** Where a sweep has come to: jobs are looked at in the order in which they ended. */
export interface JobCursor {
  readonly finishedAt: number;
  readonly id: string;
}

export const firstJob: JobCursor = { finishedAt: 0, id: '' };

/**
 * Looks at the next `limit` jobs that ended before `olderThan` and forgets those
 * without crashes, with their attempts and samples. A job with a crash is kept:
 * the crash says where it came from.
 *
 * @returns how many were removed, and where to go on; no cursor at the end
 */
export const pruneJobs = writeOperation('prune_jobs', 'upkeep', (db) => {
  const select = db.prepare<[object], { id: string; finished_at: number; kept: 0 | 1 }>(`
    SELECT id, finished_at, EXISTS (SELECT 1 FROM crashes WHERE job_id = jobs.id) AS kept
    FROM jobs
    WHERE finished_at IS NOT NULL AND finished_at < @olderThan
      AND (finished_at, id) > (@finishedAt, @id)
    ORDER BY finished_at, id LIMIT @limit`);
  const removals = [
    'DELETE FROM samples WHERE job_id = ?',
    'DELETE FROM attempts WHERE job_id = ?',
    'DELETE FROM jobs WHERE id = ?',
  ].map((statement) => db.prepare<[string]>(statement));
  const recordEvent = eventRecorder(db);

  return (input: { after: JobCursor; olderThan: number; limit: number; now: number }) => {
    const { after, olderThan, limit, now } = input;
    const jobs = select.all({ ...after, olderThan, limit });
    const old = jobs.filter(({ kept }) => kept === 0);
    for (const { id } of old) {
      for (const removal of removals) removal.run(id);
      recordEvent(now, 'job.forgotten', id);
    }
    const last = jobs.length === limit ? jobs.at(-1) : undefined;
    const next: JobCursor | undefined = last && { finishedAt: last.finished_at, id: last.id };
    return { removed: old.length, next };
  };
});
