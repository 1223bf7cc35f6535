import { OutOfRangeError } from '../../../core/errors.js';
import { pageOperation } from '../../operation.js';
import { type EventRow, type JobRow, qualifiedJobColumns } from '../../rows.js';

/** An event about a job, with the job as it is now; without it once it is forgotten. */
export interface JobEvent {
  readonly event: EventRow;
  readonly job: JobRow | undefined;
}

/**
 * What happened to jobs after `cursor`, in order: of the next `limit` events
 * those about jobs, or those about one.
 *
 * @returns also the cursor to go on from, and whether there is nothing after it yet
 * @throws OutOfRangeError when events after the cursor are no longer kept
 */
export const listEvents = pageOperation('list_events', (db) => {
  const columns = 'sequence, time, kind, subject';
  const all = db.prepare<[number, number], EventRow>(
    `SELECT ${columns} FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?`,
  );
  const ofJob = db.prepare<[string, number, number], EventRow>(
    `SELECT ${columns} FROM events WHERE subject = ? AND sequence > ? ORDER BY sequence LIMIT ?`,
  );
  const job = db.prepare<[string], JobRow>(`SELECT ${qualifiedJobColumns} FROM jobs WHERE id = ?`);
  const edge = (order: '' | 'DESC') =>
    db
      .prepare<[], number>(
        `SELECT sequence FROM events WHERE sequence > 0 ORDER BY sequence ${order} LIMIT 1`,
      )
      .pluck();
  const oldest = edge('');
  const newest = edge('DESC');

  return (input: {
    /** null: from now on. */
    cursor: number | null;
    jobId: string | undefined;
    limit: number;
  }): { events: JobEvent[]; cursor: number; isLast: boolean } => {
    const last = newest.get() ?? 0;
    if (input.cursor === null) return { events: [], cursor: last, isLast: true };
    const { cursor, jobId, limit } = input;
    const first = oldest.get() ?? 1;
    if (cursor + 1 < first && cursor > 0) {
      const why = `events up to ${first - 1} are no longer kept: list the jobs, and watch from now on`;
      throw new OutOfRangeError({ why });
    }
    if (cursor > last) {
      throw new OutOfRangeError({
        why: `the newest event is ${last}: this cursor is of another database`,
      });
    }
    const rows = jobId ? ofJob.all(jobId, cursor, limit) : all.all(cursor, limit);
    const events = rows
      .filter(({ kind }) => kind.startsWith('job.'))
      .map((event) => ({ event, job: job.get(event.subject) }));
    const isLast = rows.length < limit;
    const read = isLast ? last : (rows.at(-1)?.sequence ?? last);
    return { events, cursor: Math.max(read, cursor), isLast };
  };
});
