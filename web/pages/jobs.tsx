import { call } from '../api/call.js';
import { Age } from '../format/ages.js';
import { num, short, si } from '../format/figures.js';
import { JobChip, word } from '../format/states.js';
import type { Job, JobState } from '../gen/pandafuzz/v1/job.js';
import { Link, pathOf } from '../route/route.js';
import { Chips, Choice, filterOf } from '../table/filter.js';
import { List, pageSize } from '../table/list.js';
import type { Column } from '../table/table.js';
import { Name } from '../text/text.js';

const states: Readonly<Record<string, JobState>> = {
  pending: 'JOB_STATE_PENDING',
  assigned: 'JOB_STATE_ASSIGNED',
  running: 'JOB_STATE_RUNNING',
  completed: 'JOB_STATE_COMPLETED',
  cancelled: 'JOB_STATE_CANCELLED',
  dead: 'JOB_STATE_DEAD',
  paused: 'JOB_STATE_PAUSED',
};

export const kindOf = ({ spec }: Job): string =>
  !spec?.kind || spec.kind === 'JOB_KIND_UNSPECIFIED' ? 'fuzz' : word(spec.kind, 'JOB_KIND_');

/** Why it is as it is, as far as the job itself says. */
export function whyOf(job: Job): string {
  const message = job.result?.message ?? '';
  if (job.state === 'JOB_STATE_DEAD' || job.state === 'JOB_STATE_PENDING') return message;
  return job.statistics?.notes?.[0]?.text ?? '';
}

const columns: readonly Column<Job>[] = [
  {
    name: 'Job',
    level: 1,
    cell: (job) => (
      <span class="two">
        <Link to={pathOf('jobs', job.id ?? '')}>{short(job.id)}</Link>
        {job.spec?.name ? (
          <small class="muted">
            <Name of={job.spec.name} most={32} />
          </small>
        ) : null}
      </span>
    ),
  },
  { name: 'State', level: 1, cell: (job) => <JobChip of={job} /> },
  { name: 'Why', level: 2, cell: (job) => <Name of={whyOf(job)} most={56} /> },
  { name: 'Target', level: 1, cell: ({ spec }) => <Name of={spec?.targetName} most={28} /> },
  { name: 'Kind', level: 2, cell: kindOf },
  { name: 'Engine', level: 3, cell: ({ spec }) => spec?.engine ?? '–' },
  { name: 'Campaign', level: 3, cell: ({ spec }) => <Name of={spec?.campaign} most={24} /> },
  {
    name: 'Bot',
    level: 3,
    cell: ({ botId }) => (botId ? <Link to={pathOf('bots', botId)}>{short(botId)}</Link> : '–'),
  },
  { name: 'Attempt', level: 3, right: true, cell: ({ attempt }) => num(attempt) },
  {
    name: 'Crashes',
    level: 3,
    right: true,
    cell: ({ statistics }) => si(num(statistics?.crashHits)),
  },
  {
    name: 'Exec/s',
    level: 4,
    right: true,
    cell: ({ statistics }) => si(num(statistics?.executionsPerSecond)),
  },
  { name: 'Created', level: 1, right: true, cell: ({ createdAt }) => <Age of={createdAt} /> },
];

/** What waits, and for what? */
export function JobsPage() {
  const state = filterOf('state');
  return (
    <>
      <h1>Jobs</h1>
      <div class="filters">
        <Choice
          name="state"
          label="State"
          choices={[['', 'all'], ...Object.keys(states).map((one) => [one, one] as const)]}
        />
      </div>
      <Chips known={{ state: 'state' }} />
      <List<Job>
        caption="Jobs"
        question={`jobs ${state}`}
        read={async (pageToken, abort) => {
          const wanted = states[filterOf('state')] ?? 'JOB_STATE_UNSPECIFIED';
          const request = { pageSize, pageToken, state: wanted };
          const answer = await call('JobService', 'ListJobs', request, abort);
          return { rows: answer.jobs ?? [], next: answer.nextPageToken ?? '' };
        }}
        idOf={({ id = '' }) => id}
        columns={columns}
        empty={
          state === '' ? (
            <>
              <p>No job yet:</p>
              <pre>pandafuzz job submit ./fuzzer --seeds ./corpus</pre>
            </>
          ) : (
            <p>No job is in this state.</p>
          )
        }
      />
    </>
  );
}
