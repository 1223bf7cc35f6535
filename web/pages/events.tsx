import { useEffect, useState } from 'preact/hooks';
import { stream } from '../api/call.js';
import { failureOf } from '../api/failure.js';
import { failed, succeeded, untilDue } from '../api/line.js';
import { short, utc } from '../format/figures.js';
import { JobChip } from '../format/states.js';
import type { WatchJobsResponse } from '../gen/pandafuzz/v1/job_service.js';
import { Link, pathOf } from '../route/route.js';
import { type Column, Table } from '../table/table.js';
import { Name } from '../text/text.js';

/** Kept and shown; older ones go. */
const most = 200;
/** How far back the list begins, at most. */
const before = 100;
/** Changes are drawn together, so often. */
const drawEveryMs = 500;

const columns: readonly Column<WatchJobsResponse>[] = [
  { name: 'Time', level: 1, cell: ({ time }) => utc(time) },
  { name: 'Event', level: 1, cell: ({ kind }) => kind ?? '–' },
  {
    name: 'Job',
    level: 1,
    cell: ({ job }) =>
      job ? <Link to={pathOf('jobs', job.id ?? '')}>{short(job.id)}</Link> : 'deleted',
  },
  { name: 'State now', level: 2, cell: ({ job }) => (job ? <JobChip of={job} /> : '–') },
  { name: 'Target', level: 2, cell: ({ job }) => <Name of={job?.spec?.targetName} most={32} /> },
];

/** Changes of jobs as they are committed, the newest first, by a stream that goes on where it broke. */
export function EventsPage() {
  const [rows, setRows] = useState<readonly WatchJobsResponse[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    let held: readonly WatchJobsResponse[] = [];
    let isDirty = false;
    const drawing = setInterval(() => {
      if (isDirty) setRows(held);
      isDirty = false;
    }, drawEveryMs);
    follow(stop.signal, (event) => {
      held = [event, ...held].slice(0, most);
      isDirty = true;
    }).catch(() => {});
    return () => {
      clearInterval(drawing);
      stop.abort();
    };
  }, []);
  return (
    <>
      <h1>Events</h1>
      <p class="muted">Changes of jobs, as they are committed; the last {most}.</p>
      {rows.length === 0 ? (
        <p class="empty">Nothing has changed lately.</p>
      ) : (
        <Table
          caption="Events"
          columns={columns}
          rows={rows.map((row) => ({ id: row.cursor ?? '', row, isGone: false }))}
        />
      )}
    </>
  );
}

/** Rejects with the signal's reason. */
async function follow(abort: AbortSignal, take: (event: WatchJobsResponse) => void): Promise<void> {
  let cursor = '';
  let back = before;
  for (;;) {
    const askedAt = performance.now();
    try {
      cursor ||= await beginning(back, abort);
      for await (const event of stream('JobService', 'WatchJobs', { cursor }, abort)) {
        succeeded(askedAt);
        back = before;
        cursor = event.cursor ?? cursor;
        if (event.kind) take(event);
      }
    } catch (error) {
      if (abort.aborted) throw error;
      const failure = failureOf(error);
      failed(failure);
      if (failure.code === 'out_of_range') {
        // So many are no longer kept: it asks for fewer, and in the end for those from now on.
        cursor = '';
        if (back > 0) {
          back = Math.floor(back / 2);
          continue;
        }
      }
    }
    await untilDue(1000, abort);
  }
}

/** A cursor `back` events before now; 0, which is from now on, where there are none yet. */
async function beginning(back: number, abort: AbortSignal): Promise<string> {
  const enough = new AbortController();
  const signal = AbortSignal.any([abort, enough.signal]);
  try {
    for await (const { cursor } of stream('JobService', 'WatchJobs', { cursor: '0' }, signal)) {
      const newest = Number(cursor ?? 0);
      return String(Math.min(newest, Math.max(1, newest - back)));
    }
  } finally {
    enough.abort();
  }
  return '0';
}
