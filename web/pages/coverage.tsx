import { useState } from 'preact/hooks';
import { type Answer, useAsk } from '../api/ask.js';
import { call } from '../api/call.js';
import { Age } from '../format/ages.js';
import { many, num, si, utc } from '../format/figures.js';
import { Action } from '../frame/actions.js';
import { Facts, FailureLine, Loading, Panel } from '../frame/panel.js';
import { Rights } from '../frame/rights.js';
import type {
  CoverageFile,
  CoverageReport,
  CoverageSums,
  GetCoverageResponse,
} from '../gen/pandafuzz/v1/coverage_service.js';
import type { PageProps } from '../route/page-props.js';
import { Link, pathOf, place } from '../route/route.js';
import { type Column, Table } from '../table/table.js';
import { Name, Text } from '../text/text.js';
import { CoverageLines } from './coverage-lines.js';

/** A report changes once a day: it is asked for less often than what runs. */
const everyMs = 30_000;

/** Which lines of the source does the corpus reach, and what is new? */
export function CoveragePage({ rest: [project = '', targetName = ''] }: PageProps) {
  const { query } = place.value;
  const reportId = query.get('report') ?? '0';
  const path = query.get('file') ?? '';
  const of = { project, targetName };
  const answer = useAsk(
    `coverage ${project}/${targetName} ${reportId}`,
    (signal) => call('CoverageService', 'GetCoverage', { ...of, reportId }, signal),
    everyMs,
  );
  const target = pathOf('targets', project, targetName);
  return (
    <>
      <h1>
        Source coverage of{' '}
        <Link to={target}>
          <Name of={targetName} most={80} />
        </Link>
      </h1>
      {answer.value === undefined ? (
        <NoAnswer of={answer} target={targetName} />
      ) : (
        <Shown of={answer.value} at={of} then={answer.again} />
      )}
      {path !== '' && <CoverageLines of={of} reportId={reportId} path={path} />}
      {path === '' && answer.value?.report && <Files of={answer} at={of} />}
    </>
  );
}

function NoAnswer({ of, target }: { of: Answer<GetCoverageResponse>; target: string }) {
  if (of.failure?.code !== 'not_found') {
    return of.failure ? <FailureLine of={of} /> : <Loading rows={6} />;
  }
  return (
    <p class="empty">
      There is no such report. <code>pandafuzz coverage run</code>{' '}
      <code>
        <Name of={target} />
      </code>{' '}
      <code>./PROGRAM</code> brings a coverage build and makes one.
    </p>
  );
}

type At = { readonly project: string; readonly targetName: string };

const share = (sums: CoverageSums | undefined): string => {
  const lines = num(sums?.lines);
  return lines === 0 ? '–' : `${((100 * num(sums?.coveredLines)) / lines).toFixed(1)} %`;
};

const part = (covered: string | number | undefined, all: string | number | undefined) =>
  `${si(num(covered))} of ${si(num(all))}`;

function Shown({ of, at, then }: { of: GetCoverageResponse; at: At; then: () => void }) {
  const { coverage, report, reports = [] } = of;
  return (
    <>
      <div class="buttons">
        {coverage?.measuringJobId ? (
          <Link to={pathOf('jobs', coverage.measuringJobId)}>Measuring now</Link>
        ) : (
          <Rights to="CoverageService/MeasureCoverage" quiet>
            <Action
              act={async () => {
                const { jobId = '' } = await call('CoverageService', 'MeasureCoverage', at);
                return `Job ${jobId} makes a report.`;
              }}
              then={then}
            >
              Measure
            </Action>
          </Rights>
        )}
      </div>
      {report ? (
        <About of={report} />
      ) : (
        <p class="empty">No report yet: one is made once the corpus has inputs.</p>
      )}
      {reports.length > 1 && <Reports of={reports} at={at} />}
    </>
  );
}

const changeOf = ({ change, filesNotCompared }: CoverageReport): string => {
  if (!change) return 'the first report';
  const lines = `${si(num(change.newLines))} new, ${si(num(change.lostLines))} lost`;
  const others = num(filesNotCompared);
  return others === 0
    ? lines
    : `${lines}; ${many(others, 'file')} not compared: its source changed`;
};

const About = ({ of: report }: { of: CoverageReport }) => (
  <Facts
    of={[
      ['Lines', `${part(report.sums?.coveredLines, report.sums?.lines)} (${share(report.sums)})`],
      ['Functions', part(report.sums?.coveredFunctions, report.sums?.functions)],
      ['Regions', part(report.sums?.coveredRegions, report.sums?.regions)],
      ['Lines beside the last', changeOf(report)],
      [
        'Inputs',
        num(report.failedInputs) === 0
          ? si(num(report.inputs))
          : `${si(num(report.inputs))}; ${si(num(report.failedInputs))} left out: the build crashes or hangs`,
      ],
      [
        'Made',
        <>
          <Age of={report.at} /> ago by <Text of={report.tools} />
        </>,
      ],
      report.note ? ['Missing', <Text of={report.note} />] : false,
    ]}
  />
);

const addressOf = ({ project, targetName }: At, query: Readonly<Record<string, string>>): string =>
  `${pathOf('coverage', project, targetName)}?${new URLSearchParams(query)}`;

const Reports = ({ of, at }: { of: readonly CoverageReport[]; at: At }) => (
  <details>
    <summary>{many(of.length, 'report')}</summary>
    <ul class="builds">
      {of.map((report) => (
        <li key={report.id}>
          <Link to={addressOf(at, { report: String(report.id) })}>{utc(report.at)}</Link>{' '}
          {share(report.sums)} of lines, {changeOf(report)}
        </li>
      ))}
    </ul>
  </details>
);

interface Row {
  readonly file: CoverageFile;
  readonly to: string;
}

const columns: readonly Column<Row>[] = [
  {
    name: 'File',
    level: 1,
    cell: ({ file, to }) => (
      <Link to={to}>
        <Name of={file.path} most={60} />
      </Link>
    ),
  },
  {
    name: 'Covered',
    level: 1,
    cell: ({ file: { sums } }) => (
      <>
        <meter
          min={0}
          max={Math.max(1, num(sums?.lines))}
          value={num(sums?.coveredLines)}
          aria-label={`${share(sums)} of lines`}
        />{' '}
        {share(sums)}
      </>
    ),
  },
  { name: 'Lines', level: 1, right: true, cell: ({ file }) => si(num(file.sums?.lines)) },
  {
    name: 'Functions',
    level: 2,
    right: true,
    cell: ({ file: { sums } }) => part(sums?.coveredFunctions, sums?.functions),
  },
  {
    name: 'New, lost',
    level: 1,
    right: true,
    cell: ({ file: { change } }) =>
      change ? `+${si(num(change.newLines))} −${si(num(change.lostLines))}` : '–',
  },
];

/** Files that are drawn at once. */
const step = 100;

function Files({ of, at }: { of: Answer<GetCoverageResponse>; at: At }) {
  const [most, setMost] = useState(step);
  const files = of.value?.files ?? [];
  const report = String(of.value?.report?.id ?? '0');
  const rows = files.slice(0, most).map((file) => {
    const row = { file, to: addressOf(at, { report, file: file.path ?? '' }) };
    return { id: file.path ?? '', row, isGone: false };
  });
  return (
    <Panel title={`Files (${si(files.length)})`} of={undefined}>
      <Table caption="Files" columns={columns} rows={rows} />
      {files.length > most && (
        <button type="button" onClick={() => setMost(most + step)}>
          {si(files.length - most)} more files
        </button>
      )}
    </Panel>
  );
}
