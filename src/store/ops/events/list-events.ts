import { OutOfRangeError } from '../../../core/errors.js';
import { pageOperation } from '../../operation.js';
import { mostPageBytes, rowBytes } from '../../page-bytes.js';
import { type EventRow, type JobRow, qualifiedJobColumns } from '../../rows.js';
import { all, one, type Steps, statement } from '../../statement.js';

/** An event about a job, with the job as it is now; without it once it is forgotten. */
export interface JobEvent {
  readonly event: EventRow;
  readonly job: JobRow | undefined;
}

interface ListEvents {
  /** null: from now on. */
  cursor: number | null;
  jobId: string | undefined;
  /** Only of jobs of these projects; absent: of all. */
  projects?: readonly string[] | undefined;
  limit: number;
}

interface EventPage {
  events: JobEvent[];
  /** Where the next page begins. */
  cursor: number;
  /** There is nothing after it yet. */
  isLast: boolean;
}

const columns = 'sequence, time, kind, subject';
const afterCursor = 'sequence > @cursor ORDER BY sequence LIMIT @limit';
const every = statement<{ cursor: number; limit: number }, EventRow>(
  `SELECT ${columns} FROM events WHERE ${afterCursor}`,
);
const ofJob = statement<{ jobId: string; cursor: number; limit: number }, EventRow>(
  `SELECT ${columns} FROM events WHERE subject = @jobId AND ${afterCursor}`,
);
const jobById = statement<{ id: string }, JobRow & { project: string }>(
  `SELECT ${qualifiedJobColumns}, jobs.project FROM jobs WHERE id = @id`,
);
const oldest = statement<object, { sequence: number }>(
  'SELECT sequence FROM events WHERE sequence > 0 ORDER BY sequence LIMIT 1',
);
const newest = statement<object, { sequence: number }>(
  'SELECT sequence FROM events WHERE sequence > 0 ORDER BY sequence DESC LIMIT 1',
);

/**
 * The events about jobs among the `limit` events after `cursor`, in order; or the next
 * `limit` events about one job; fewer where their jobs are large.
 *
 * @throws OutOfRangeError when events after the cursor are no longer kept
 */
export const listEvents = pageOperation(
  'list_events',
  function* (input: ListEvents): Steps<EventPage> {
    const last = (yield* one(newest, {}))?.sequence ?? 0;
    if (input.cursor === null) return { events: [], cursor: last, isLast: true };
    const { cursor, jobId, projects, limit } = input;
    const first = (yield* one(oldest, {}))?.sequence ?? 1;
    checkCursor(cursor, first, last);
    const rows = yield* jobId
      ? all(ofJob, { jobId, cursor, limit })
      : all(every, { cursor, limit });
    const events: JobEvent[] = [];
    let bytes = 0;
    for (const event of rows) {
      if (!event.kind.startsWith('job.')) continue;
      const job = yield* one(jobById, { id: event.subject });
      // A job that is forgotten has no project any more.
      if (projects && (!job || !projects.includes(job.project))) continue;
      events.push({ event, job });
      bytes += job ? rowBytes(job) : 0;
      if (bytes >= mostPageBytes) return { events, cursor: event.sequence, isLast: false };
    }
    const isLast = rows.length < limit;
    const read = isLast ? last : (rows.at(-1)?.sequence ?? last);
    return { events, cursor: Math.max(read, cursor), isLast };
  },
);

function checkCursor(cursor: number, first: number, last: number): void {
  if (cursor + 1 < first && cursor > 0) {
    const why = `events up to ${first - 1} are no longer kept: list the jobs, and watch from now on`;
    throw new OutOfRangeError({ why });
  }
  if (cursor > last) {
    throw new OutOfRangeError({
      why: `the newest event is ${last}: this cursor is of another database`,
    });
  }
}
