import { PreconditionError } from '../../../core/errors.js';
import type {
  CoverageDetailRow,
  CoverageReportRow,
  CoverageTargetRow,
} from '../../coverage-rows.js';
import { pageOperation, writeOperation } from '../../operation.js';
import { one, run, runEach, type Steps, statement } from '../../statement.js';
import { type HeldJob, heldJob, type LeaseOf } from '../corpus/holder.js';
import { recordEvent } from '../events/record-event.js';
import { recordForTarget } from '../events/record-history.js';
import {
  type CoverageOf,
  coverageToChange,
  knownCoverage,
  mostReports,
  newestReport,
  reportColumns,
} from './coverage-of.js';

/** Files of one report. */
const mostFiles = 1000;
/** Their details together, characters of base64: 16 MiB of gzip. */
const mostDetail = Math.ceil((16 * 2 ** 20 * 4) / 3);

export interface NewCoverageFile {
  path: string;
  lines: number;
  coveredLines: number;
  functions: number;
  coveredFunctions: number;
  regions: number;
  coveredRegions: number;
  /** '': it has none. */
  sourceSha256: string;
  newLines: number | null;
  lostLines: number | null;
  /** CoverageDetail as gzip, base64. */
  detail: string;
}

interface Gathering {
  coverageId: number;
  jobId: string;
  fence: number;
}

const ofJob = statement<{ jobId: string }, CoverageOf & { kind: string; target_sha256: string }>(`
  SELECT project, target_name AS "targetName", kind, target_sha256 FROM jobs WHERE id = @jobId`);
const baseFile = statement<{ reportId: number; path: string }, CoverageDetailRow>(`
  SELECT path, lines, covered_lines, functions, covered_functions, regions, covered_regions,
    source_sha256, new_lines, lost_lines, detail
  FROM coverage_files WHERE report_id = @reportId AND path = @path`);
const gathering = statement<Gathering, { id: number }>(`
  SELECT id FROM coverage_reports
  WHERE coverage_id = @coverageId AND state = 'gathering' AND job_id = @jobId AND fence = @fence`);
const complete = statement<{ coverageId: number; jobId: string }, CoverageReportRow>(`
  SELECT ${reportColumns} FROM coverage_reports
  WHERE coverage_id = @coverageId AND state = 'complete' AND job_id = @jobId`);
const endOthers = statement<{ coverageId: number }>(`
  UPDATE coverage_reports SET state = 'ended'
  WHERE coverage_id = @coverageId AND state = 'gathering'`);
const begin = statement<
  Gathering & { now: number; targetSha256: string; baseId: number | null },
  { id: number }
>(`
  INSERT INTO coverage_reports (coverage_id, job_id, fence, state, at, target_sha256, base_id)
  VALUES (@coverageId, @jobId, @fence, 'gathering', @now, @targetSha256, @baseId) RETURNING id`);
const forget = statement<{ reportId: number; path: string }>(
  'DELETE FROM coverage_files WHERE report_id = @reportId AND path = @path',
);
const add = statement<NewCoverageFile & { reportId: number }>(`
  INSERT INTO coverage_files (report_id, path, lines, covered_lines, functions,
    covered_functions, regions, covered_regions, source_sha256, new_lines, lost_lines, detail)
  VALUES (@reportId, @path, @lines, @coveredLines, @functions, @coveredFunctions, @regions,
    @coveredRegions, @sourceSha256, @newLines, @lostLines, @detail)`);
const size = statement<{ reportId: number }, { files: number; detail: number }>(`
  SELECT count(*) AS files, CAST(coalesce(sum(octet_length(detail)), 0) AS BIGINT) AS detail
  FROM coverage_files WHERE report_id = @reportId`);
const sum = (column: string) => `(SELECT CAST(coalesce(sum(${column}), 0) AS BIGINT)
  FROM coverage_files WHERE report_id = coverage_reports.id)`;
const settle = statement<
  { id: number; inputs: number; failedInputs: number; tools: string; note: string; now: number },
  CoverageReportRow
>(`
  UPDATE coverage_reports SET state = 'complete', at = @now, inputs = @inputs,
    failed_inputs = @failedInputs, tools = @tools, note = @note,
    lines = ${sum('lines')}, covered_lines = ${sum('covered_lines')},
    functions = ${sum('functions')}, covered_functions = ${sum('covered_functions')},
    regions = ${sum('regions')}, covered_regions = ${sum('covered_regions')},
    files = ${sum('1')}, new_lines = ${sum('new_lines')}, lost_lines = ${sum('lost_lines')},
    files_not_compared = CASE WHEN base_id IS NULL THEN 0
      ELSE ${sum('CASE WHEN new_lines IS NULL THEN 1 ELSE 0 END')} END
  WHERE id = @id RETURNING ${reportColumns}`);
const oldest = statement<{ coverageId: number; keep: number }, { id: number }>(`
  SELECT id FROM coverage_reports WHERE coverage_id = @coverageId AND state = 'complete'
  ORDER BY id DESC LIMIT 1 OFFSET @keep`);
const endOld = statement<{ coverageId: number; upTo: number }>(`
  UPDATE coverage_reports SET state = 'ended'
  WHERE coverage_id = @coverageId AND state = 'complete' AND id <= @upTo`);
const saw = statement<{
  id: number;
  targetSha256: string;
  revision: number;
  cursor: number;
  dueAt: number;
}>(`
  UPDATE coverage_targets SET seen_sha256 = @targetSha256, seen_revision = @revision,
    seen_cursor = @cursor, due_at = @dueAt
  WHERE id = @id`);

export interface CoverageBase {
  /** The report that the next one is compared with; undefined: there is none. */
  readonly report: CoverageReportRow | undefined;
  /** Build of the job. */
  readonly targetSha256: string;
  readonly files: CoverageDetailRow[];
}

/** Files of the newest report of a job's target, of these paths. */
export const findCoverageBase = pageOperation(
  'find_coverage_base',
  function* (input: { jobId: string; paths: readonly string[] }): Steps<CoverageBase> {
    const of = yield* one(ofJob, { jobId: input.jobId });
    // The write that follows refuses what is no job of this kind.
    if (of?.kind !== 'coverage') return { report: undefined, targetSha256: '', files: [] };
    const { target_sha256: targetSha256 } = of;
    const report = yield* newestReport((yield* knownCoverage(of)).id);
    const files: CoverageDetailRow[] = [];
    if (!report) return { report, targetSha256, files };
    for (const path of input.paths) {
      const found = yield* one(baseFile, { reportId: report.id, path });
      if (found) files.push(found);
    }
    return { report, targetSha256, files };
  },
);

export interface AddCoverageFiles extends LeaseOf {
  files: readonly NewCoverageFile[];
  /** The report that they were compared with. */
  baseId: number | null;
  now: number;
}

/**
 * Notes files of the report that a job makes.
 *
 * @throws StaleLeaseError, NotFoundError (job, coverage build),
 *   PreconditionError NO_COVERAGE, TOO_MANY_FILES, TOO_LARGE
 */
export const addCoverageFiles = writeOperation(
  'add_coverage_files',
  'result',
  function* (input: AddCoverageFiles): Steps<void> {
    const { target, job } = yield* reportOf(input);
    const of = { coverageId: target.id, jobId: input.jobId, fence: input.fence };
    if (yield* one(complete, of)) return;
    const reportId = (yield* one(gathering, of))?.id ?? (yield* beginReport(of, input, job));
    const files = input.files.map((file) => ({ ...file, reportId }));
    yield* runEach(
      forget,
      files.map(({ path }) => ({ reportId, path })),
    );
    yield* runEach(add, files);
    const held = (yield* one(size, { reportId })) as { files: number; detail: number };
    if (held.files > mostFiles) throw refusal('TOO_MANY_FILES', `of more than ${mostFiles} files`);
    if (held.detail > mostDetail) throw refusal('TOO_LARGE', 'of more than 16 MiB');
  },
);

const refusal = (reason: string, what: string) =>
  new PreconditionError({ reason, why: `the master keeps no coverage report ${what}` });

/** What an earlier attempt, or an earlier job, gathered is of no use. */
function* beginReport(of: Gathering, input: AddCoverageFiles, job: HeldJob): Steps<number> {
  yield* run(endOthers, { coverageId: of.coverageId });
  const { now, baseId } = input;
  const made = { ...of, now, baseId, targetSha256: job.target_sha256 };
  return ((yield* one(begin, made)) as { id: number }).id;
}

export interface FinishCoverage extends LeaseOf {
  inputs: number;
  failedInputs: number;
  tools: string;
  note: string;
  /** Of the corpus that was run. */
  revision: number;
  cursor: number;
  /** When the next one is due. */
  dueAt: number;
  now: number;
}

/**
 * Completes the report of a job, and lets the oldest one go.
 *
 * @throws StaleLeaseError, NotFoundError (job, coverage build), PreconditionError NO_COVERAGE
 */
export const finishCoverage = writeOperation(
  'finish_coverage',
  'result',
  function* (input: FinishCoverage): Steps<CoverageReportRow> {
    const { jobId, fence, now } = input;
    const { target, job } = yield* reportOf(input);
    const coverageId = target.id;
    const known = yield* one(complete, { coverageId, jobId });
    if (known) return known;
    const id = (yield* one(gathering, { coverageId, jobId, fence }))?.id;
    if (id === undefined) {
      const why = 'no file of this report was sent: send them before its end';
      throw new PreconditionError({ reason: 'NO_COVERAGE', why });
    }
    const report = (yield* one(settle, { ...input, id })) as CoverageReportRow;
    const old = yield* one(oldest, { coverageId, keep: mostReports });
    if (old) yield* run(endOld, { coverageId, upTo: old.id });
    const { revision, cursor, dueAt } = input;
    const targetSha256 = job.target_sha256;
    yield* run(saw, { id: coverageId, targetSha256, revision, cursor, dueAt });
    const of = { project: job.project, targetName: job.target_name };
    const subject = `${of.project}/${of.targetName}`;
    yield* recordEvent(now, 'coverage.reported', subject, { jobId, reportId: id });
    yield* recordForTarget(of, { time: now, kind: 'coverage', text: inWords(report) });
    return report;
  },
);

function inWords({ base_id, covered_lines, lines, files, ...report }: CoverageReportRow): string {
  const { new_lines, lost_lines } = report;
  const share = lines === 0 ? 0 : (100 * covered_lines) / lines;
  const change = base_id === null ? '' : `, ${new_lines} new and ${lost_lines} lost`;
  const whole = `${covered_lines} of ${lines} lines (${share.toFixed(1)} %) in ${files} ${files === 1 ? 'file' : 'files'}`;
  return `source coverage: ${whole}${change}`;
}

function* reportOf(lease: LeaseOf): Steps<{ target: CoverageTargetRow; job: HeldJob }> {
  const job = yield* heldJob(lease);
  const of = { project: job.project, targetName: job.target_name };
  if (job.kind === 'coverage') return { target: yield* coverageToChange(of), job };
  throw new PreconditionError({
    reason: 'NO_COVERAGE',
    why: 'the job of this lease makes no coverage report',
  });
}
