import { writeOperation } from '../../operation.js';
import { flag, forUpdate } from '../../sql.js';
import { all, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';

/** Where a sweep has come to: it goes through jobs in the order in which they ended. */
export interface JobCursor {
  readonly finishedAt: number;
  readonly id: string;
}

export const firstJob: JobCursor = { finishedAt: 0, id: '' };

interface Slice {
  olderThan: number;
  limit: number;
}

const select = statement<JobCursor & Slice, { id: string; finished_at: number; kept: 0 | 1 }>(`
  SELECT id, finished_at,
    ${flag('EXISTS (SELECT 1 FROM crashes WHERE job_id = jobs.id)')} AS kept
  FROM jobs
  WHERE finished_at IS NOT NULL AND finished_at < @olderThan
    AND (finished_at, id) > (@finishedAt, @id)
  ORDER BY finished_at, id LIMIT @limit ${forUpdate()}`);
const removals = [
  statement<{ id: string }>('DELETE FROM attempts WHERE job_id = @id'),
  statement<{ id: string }>('DELETE FROM avoided WHERE job_id = @id'),
  statement<{ id: string }>('DELETE FROM campaign_runs WHERE job_id = @id'),
  statement<{ id: string }>('DELETE FROM jobs WHERE id = @id'),
];

/**
 * Goes through the next `limit` jobs that ended before `olderThan` and removes those
 * without crashes, with their attempts. A job with a crash is kept: it is
 * where the crash came from.
 *
 * @returns how many were removed, and where to go on; no cursor at the end
 */
export const pruneJobs = writeOperation(
  'prune_jobs',
  'upkeep',
  function* (
    input: Slice & { after: JobCursor; now: number },
  ): Steps<{ removed: number; next: JobCursor | undefined }> {
    const { after, olderThan, limit, now } = input;
    const jobs = yield* all(select, { ...after, olderThan, limit });
    const old = jobs.filter(({ kept }) => kept === 0);
    for (const { id } of old) {
      for (const removal of removals) yield* run(removal, { id });
      yield* recordEvent(now, 'job.forgotten', id);
    }
    const last = jobs.length === limit ? jobs.at(-1) : undefined;
    const next = last && { finishedAt: last.finished_at, id: last.id };
    return { removed: old.length, next };
  },
);
