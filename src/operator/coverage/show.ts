import { styleText } from 'node:util';
import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { UserError } from '../../core/errors.js';
import { grouped } from '../../core/figures.js';
import {
  Coverage,
  type CoverageFile,
  type CoverageLine,
  type CoverageReport,
  GetCoverageFileResponse,
  GetCoverageResponse,
  LineChange,
} from '../../gen/pandafuzz/v1/coverage_service.js';
import { ago, plain } from '../format.js';
import { type ListFlags, showListing } from '../listing.js';
import { print } from '../output.js';
import { asking, type Flags } from '../session.js';
import { coverageSorts } from '../sorts.js';
import type { CallOptions } from '../submit.js';
import { facts, table } from '../table.js';
import { or } from '../words.js';
import {
  about,
  type CoverageFlags,
  type CoverageKey,
  changeOf,
  comparison,
  coverageKey,
  linesOf,
  part,
  share,
} from './words.js';

/** `pandafuzz coverage list`, `get` and `show`. */

export function listCoverage(flags: Flags & ListFlags & { project?: string }): Promise<void> {
  const { project = '' } = flags;
  return asking(flags, ({ coverage }, options) =>
    showListing(flags, {
      items: 'coverage',
      first: 'first',
      read: async (page) => {
        const answer = await unary(coverage, coverage.listCoverage, { ...page, project }, options);
        return { items: answer.coverage, nextPageToken: answer.nextPageToken };
      },
      sorts: coverageSorts,
      toJson: Coverage.toJSON,
      text: (found, width) => coverageTable(found, Date.now(), width),
    }),
  );
}

const none = 'no target has a coverage build: "pandafuzz coverage run TARGET ./PROGRAM" brings one';

function coverageTable(found: readonly Coverage[], now: number, width: number | undefined): string {
  if (found.length === 0) return none;
  const columns = [
    { name: 'project', leaves: 'same' as const },
    { name: 'target', shrinks: 'first' as const },
    { name: 'lines', right: true },
    { name: 'covered', right: true },
    { name: 'change', right: true },
    { name: 'reported', right: true },
  ];
  const rows = found.map(({ project, targetName, newest, measuringJobId }) => {
    const { lines = 0, coveredLines = 0 } = newest?.sums ?? {};
    const isNow = measuringJobId !== '' ? 'now' : ago(newest?.at, now);
    const covered = newest ? share(coveredLines, lines) : '-';
    return [
      project,
      targetName,
      newest ? grouped(lines) : '-',
      covered,
      changeOf(newest?.change),
      isNow,
    ];
  });
  return table(columns, rows, width);
}

export interface GetFlags extends CoverageFlags {
  readonly report?: number;
}

export function showCoverage(flags: GetFlags, targetName: string): Promise<void> {
  return asking(flags, async (connection, options) => {
    const answer = await readCoverage(connection, coverageKey(flags, targetName), {
      ...options,
      reportId: flags.report ?? 0,
    });
    print(flags, {
      json: () => GetCoverageResponse.toJSON(answer),
      text: () => coverageDetails(answer, Date.now()),
    });
  });
}

/** @throws UserError where the master has no such thing */
export function readCoverage(
  { coverage }: Connection,
  key: CoverageKey,
  { reportId, ...options }: CallOptions & { readonly reportId: number },
): Promise<GetCoverageResponse> {
  return about(key, unary(coverage, coverage.getCoverage, { ...key, reportId }, options));
}

function coverageDetails(answer: GetCoverageResponse, now: number): string {
  const { coverage, report, reports, files } = answer;
  const head: [string, string][] = [
    ['project', or(coverage?.project)],
    ['target', or(coverage?.targetName)],
    ['build', or(coverage?.build?.targetSha256)],
    ['measuring', coverage?.measuringJobId ? `job ${coverage.measuringJobId}` : '-'],
  ];
  if (!report) {
    const hint = 'no report yet: it is made once the corpus has inputs, or by "coverage run"';
    return `${facts(head)}\n\n${hint}`;
  }
  const parts = [facts([...head, ...reportFacts(report, now)]), fileTable(files)];
  const earlier = reports.filter(({ id }) => id !== report.id);
  if (earlier.length > 0) parts.push(reportTable(earlier, now));
  return parts.join('\n\n');
}

function reportFacts(report: CoverageReport, now: number): [string, string][] {
  const { sums, inputs, failedInputs } = report;
  const failed =
    failedInputs > 0 ? `; ${grouped(failedInputs)} left out: the build crashes or hangs` : '';
  return [
    ['report', `${report.id}, ${ago(report.at, now)} by ${report.tools}`],
    ['inputs', `${grouped(inputs)}${failed}`],
    ['lines', linesOf(sums)],
    ['functions', part(sums?.coveredFunctions ?? 0, sums?.functions ?? 0)],
    ['regions', part(sums?.coveredRegions ?? 0, sums?.regions ?? 0)],
    ['beside the last', comparison(report)],
    ...(report.note === '' ? [] : [['missing', report.note] as [string, string]]),
  ];
}

function fileTable(files: readonly CoverageFile[]): string {
  const columns = [
    { name: 'file', shrinks: 'first' as const },
    { name: 'lines', right: true },
    { name: 'covered', right: true },
    { name: 'functions', right: true },
    { name: 'change', right: true },
  ];
  const rows = files.map(({ path, sums, change }) => [
    path,
    grouped(sums?.lines ?? 0),
    share(sums?.coveredLines ?? 0, sums?.lines ?? 0),
    `${grouped(sums?.coveredFunctions ?? 0)} of ${grouped(sums?.functions ?? 0)}`,
    changeOf(change),
  ]);
  return table(columns, rows);
}

function reportTable(reports: readonly CoverageReport[], now: number): string {
  const columns = [
    'earlier report',
    { name: 'made', right: true },
    { name: 'inputs', right: true },
    { name: 'covered', right: true },
    { name: 'change', right: true },
  ];
  const rows = reports.map((report) => [
    String(report.id),
    ago(report.at, now),
    grouped(report.inputs),
    share(report.sums?.coveredLines ?? 0, report.sums?.lines ?? 0),
    changeOf(report.change),
  ]);
  return table(columns, rows);
}

export function showCoverageFile(flags: GetFlags, targetName: string, name: string): Promise<void> {
  return asking(flags, async (connection, options) => {
    const key = coverageKey(flags, targetName);
    const asked = { ...options, reportId: flags.report ?? 0 };
    const answer = await readCoverage(connection, key, asked);
    const file = fileNamed(answer.files, name);
    const of = { ...key, reportId: answer.report?.id ?? 0, path: file.path };
    const lines = await readLines(connection, of, options);
    print(flags, {
      json: () =>
        GetCoverageFileResponse.toJSON({ file, lines, nextLine: 0, reportId: of.reportId }),
      text: () => fileText(file, lines),
    });
  });
}

/** The file of this path, or the only one whose path ends so. @throws UserError */
function fileNamed(files: readonly CoverageFile[], name: string): CoverageFile {
  const fits = (path: string) => path === name || path.endsWith(`/${name}`);
  const exact = files.find(({ path }) => path === name);
  const [found, more] = exact ? [exact] : files.filter(({ path }) => fits(path));
  if (!found)
    throw new UserError(`${name}: the report has no such file; "coverage get" lists them`);
  if (!more) return found;
  throw new UserError(`${name}: several files end so, such as ${found.path} and ${more.path}`);
}

/** All lines of a file, page by page. */
export async function readLines(
  { coverage }: Connection,
  of: CoverageKey & { readonly reportId: number; readonly path: string },
  options: CallOptions,
): Promise<CoverageLine[]> {
  const lines: CoverageLine[] = [];
  for (let fromLine = 1; fromLine > 0; ) {
    const request = { ...of, fromLine };
    const page = await about(of, unary(coverage, coverage.getCoverageFile, request, options));
    for (const line of page.lines) lines.push(line);
    fromLine = page.nextLine > fromLine ? page.nextLine : 0;
  }
  return lines;
}

const marks = { [LineChange.NEW]: '+', [LineChange.LOST]: '-' } as const;

function fileText(file: CoverageFile, lines: readonly CoverageLine[]): string {
  const title = `${plain(file.path)}: ${linesOf(file.sums)} lines, ${changeOf(file.change)}`;
  const legend = file.hasSource
    ? []
    : ['its source is not in the bundle: "coverage run --sources" sends it along'];
  return [title, ...legend, ...lines.map(lineText)].join('\n');
}

/** "  12   304 +|  if (ok)": the line, times it ran, its change, its source. */
function lineText({ number, count, change, text }: CoverageLine): string {
  const mark = change === LineChange.NEW || change === LineChange.LOST ? marks[change] : ' ';
  const times = count === undefined ? '' : grouped(count);
  const words = `${String(number).padStart(6)} ${times.padStart(10)} ${mark}| ${plain(text.replaceAll('\t', '    '))}`;
  if (count === undefined) return words;
  const tone = count === 0 ? 'red' : 'green';
  return styleText(tone, words, { stream: process.stdout });
}
