import { useAsk } from '../api/ask.js';
import { call } from '../api/call.js';
import { Curves } from '../curve/curves.js';
import { Age, Span } from '../format/ages.js';
import { bytes, covered, duration, num, short, si, utc } from '../format/figures.js';
import { JobChip, word } from '../format/states.js';
import { Action } from '../frame/actions.js';
import { Facts, FailureLine, Loading, Panel } from '../frame/panel.js';
import { Rights } from '../frame/rights.js';
import type { Attempt, Job } from '../gen/pandafuzz/v1/job.js';
import type { PageProps } from '../route/page-props.js';
import { Link, pathOf } from '../route/route.js';
import { type Column, Table } from '../table/table.js';
import { Name, Text } from '../text/text.js';
import { kindOf } from './jobs.js';
import { JobLog } from './log.js';
import { Reasons } from './reasons.js';

export function JobPage({ rest: [jobId = ''] }: PageProps) {
  const answer = useAsk(`job ${jobId}`, (signal) =>
    call('JobService', 'GetJob', { jobId }, signal),
  );
  const why = useAsk(`why ${jobId}`, (signal) =>
    call('JobService', 'ExplainJob', { jobId }, signal),
  );
  const job = answer.value?.job;
  if (!job) {
    return (
      <>
        <h1>Job</h1>
        {answer.failure ? <FailureLine of={answer} /> : <Loading rows={8} />}
      </>
    );
  }
  return (
    <>
      <h1>
        <JobChip of={job} /> <Name of={job.spec?.name || `Job ${short(jobId)}`} most={80} />
      </h1>
      <Rights to="JobService/CancelJob">
        <Buttons job={job} then={answer.again} />
      </Rights>
      <Panel title="Why" of={why}>
        <Reasons of={why.value?.reasons} otherwise="Nothing holds it up." />
        {why.value?.rank !== undefined && num(why.value.rank) > 0 && (
          <p class="muted">{si(num(why.value.rank))} of its campaign and kind go first.</p>
        )}
      </Panel>
      <About job={job} />
      <Curves
        coverage={{ subject: 'SERIES_SUBJECT_JOB', name: jobId }}
        speed={{ subject: 'SERIES_SUBJECT_JOB', name: jobId }}
      />
      <Panel title="Attempts">
        {(answer.value?.attempts ?? []).length === 0 ? (
          <p class="muted">None yet.</p>
        ) : (
          <Attempts of={answer.value?.attempts ?? []} />
        )}
      </Panel>
      <JobLog jobId={jobId} />
    </>
  );
}

function Buttons({ job, then }: { job: Job; then: () => void }) {
  const jobId = job.id ?? '';
  const isOver = job.finishedAt !== undefined;
  const isPaused = job.state === 'JOB_STATE_PAUSED' || job.pauseRequestedAt !== undefined;
  const change = async (method: 'PauseJob' | 'ResumeJob' | 'CancelJob' | 'RetryJob') => {
    const { job: now } = await call('JobService', method, { jobId });
    return `Job ${short(jobId)} is ${word(now?.state, 'JOB_STATE_')}.`;
  };
  return (
    <div class="buttons">
      {!isOver && !isPaused && (
        <Action act={() => change('PauseJob')} then={then}>
          Pause
        </Action>
      )}
      {!isOver && isPaused && (
        <Action act={() => change('ResumeJob')} then={then}>
          Resume
        </Action>
      )}
      {!isOver && (
        <Action
          ask="Cancel this job for good? Its run ends; crashes and corpus stay."
          act={() => change('CancelJob')}
          then={then}
        >
          Cancel
        </Action>
      )}
      {job.state === 'JOB_STATE_DEAD' && (
        <Action
          ask="Let this job wait for a bot again, with all its attempts?"
          act={() => change('RetryJob')}
          then={then}
        >
          Retry
        </Action>
      )}
    </div>
  );
}

function About({ job }: { job: Job }) {
  const { spec = {}, statistics = {}, result } = job;
  const project = spec.project || 'default';
  const target = spec.targetName ?? '';
  return (
    <Facts
      of={[
        [
          'Target',
          <Link to={pathOf('targets', project, target)}>
            <Name of={target} />
          </Link>,
        ],
        ['Kind', `${kindOf(job)}, ${spec.engine}`],
        ['Build', <code>{(spec.targetSha256 ?? '').slice(0, 16)}</code>],
        !!spec.campaign && ['Campaign', <Name of={spec.campaign} />],
        !!job.botId && ['Bot', <Link to={pathOf('bots', job.botId)}>{short(job.botId)}</Link>],
        ['Created', utc(job.createdAt)],
        ['Ran', <Span from={job.startedAt} to={job.finishedAt} />],
        [
          'Executions',
          `${si(num(statistics.executionsEstimate) || num(statistics.executions))}, ${si(num(statistics.executionsPerSecond))} a second`,
        ],
        ['Coverage', covered(num(statistics.coverage))],
        ['Corpus', `${si(num(statistics.corpusFiles))} inputs, ${bytes(statistics.corpusBytes)}`],
        [
          'Crashes',
          `${si(num(statistics.crashHits))} met, ${si(num(statistics.crashInputsKept))} kept`,
        ],
        ['Fuzzed', duration(num(statistics.elapsedMs))],
        ...(statistics.notes ?? []).map(
          ({ kind, text }) =>
            [`Note: ${word(kind, 'RUN_NOTE_KIND_')}`, <Text of={text} />] as const,
        ),
        !!result?.message && ['Last result', <Text of={result.message} />],
      ]}
    />
  );
}

const columns: readonly Column<Attempt>[] = [
  { name: 'Attempt', level: 1, cell: ({ attempt }) => `#${num(attempt)}` },
  {
    name: 'End',
    level: 1,
    cell: ({ end }) =>
      !end || end === 'ATTEMPT_END_UNSPECIFIED' ? 'goes on' : word(end, 'ATTEMPT_END_'),
  },
  { name: 'Began', level: 1, right: true, cell: ({ assignedAt }) => <Age of={assignedAt} /> },
  {
    name: 'Took',
    level: 1,
    right: true,
    cell: ({ assignedAt, endedAt }) => <Span from={assignedAt} to={endedAt} />,
  },
  {
    name: 'Bot',
    level: 2,
    cell: ({ botId }) => <Link to={pathOf('bots', botId ?? '')}>{short(botId)}</Link>,
  },
  { name: 'Why', level: 1, cell: ({ message }) => <Text of={message} most={300} /> },
];

const Attempts = ({ of }: { of: readonly Attempt[] }) => (
  <Table
    caption="Attempts"
    columns={columns}
    rows={of.map((row) => ({ id: String(row.fence), row, isGone: false }))}
  />
);
