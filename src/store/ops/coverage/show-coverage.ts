import type {
  CoverageDetailRow,
  CoverageFileRow,
  CoverageReportRow,
  CoverageTargetRow,
} from '../../coverage-rows.js';
import { pageOperation, readOperation } from '../../operation.js';
import { all, one, page, type Steps, statement } from '../../statement.js';
import {
  type CoverageOf,
  knownCoverage,
  measuringJob,
  mostReports,
  newestReport,
  reportColumns,
  targetColumns,
} from './coverage-of.js';

export interface ShownCoverage {
  readonly target: CoverageTargetRow;
  readonly measuringJobId: string | undefined;
  readonly newest: CoverageReportRow | undefined;
}

const fileColumns = `path, lines, covered_lines, functions, covered_functions, regions,
  covered_regions, source_sha256, new_lines, lost_lines`;
const reports = statement<{ id: number; limit: number }, CoverageReportRow>(`
  SELECT ${reportColumns} FROM coverage_reports
  WHERE coverage_id = @id AND state = 'complete' ORDER BY id DESC LIMIT @limit`);
const files = statement<{ reportId: number }, CoverageFileRow>(
  `SELECT ${fileColumns} FROM coverage_files WHERE report_id = @reportId ORDER BY path`,
);
const file = statement<{ reportId: number; path: string }, CoverageDetailRow>(`
  SELECT ${fileColumns}, detail FROM coverage_files
  WHERE report_id = @reportId AND path = @path`);
const after = statement<CoverageOf & { limit: number }, CoverageTargetRow>(`
  SELECT ${targetColumns} FROM coverage_targets
  WHERE (project, target_name) > (@project, @targetName)
  ORDER BY project, target_name LIMIT @limit`);
const afterIn = statement<CoverageOf & { limit: number }, CoverageTargetRow>(`
  SELECT ${targetColumns} FROM coverage_targets
  WHERE project = @project AND target_name > @targetName ORDER BY target_name LIMIT @limit`);

export function* shown(target: CoverageTargetRow): Steps<ShownCoverage> {
  const measuringJobId = yield* measuringJob(target);
  return { target, measuringJobId, newest: yield* newestReport(target.id) };
}

/** @param reportId 0: the newest */
function* reportsOf(
  id: number,
  reportId: number,
): Steps<{ reports: CoverageReportRow[]; report: CoverageReportRow | undefined }> {
  const found = yield* all(reports, { id, limit: mostReports });
  return { reports: found, report: found.find((one) => reportId === 0 || one.id === reportId) };
}

export interface CoverageShown extends ShownCoverage {
  readonly reports: CoverageReportRow[];
  /** The one that was asked for; undefined when there is none such. */
  readonly report: CoverageReportRow | undefined;
  readonly files: CoverageFileRow[];
}

/** @throws NotFoundError (coverage build) */
export const showCoverage = pageOperation(
  'show_coverage',
  function* ({ reportId, ...of }: CoverageOf & { reportId: number }): Steps<CoverageShown> {
    const target = yield* knownCoverage(of);
    const { reports: found, report } = yield* reportsOf(target.id, reportId);
    const rows = report ? yield* all(files, { reportId: report.id }) : [];
    return { ...(yield* shown(target)), reports: found, report, files: rows };
  },
);

export interface CoverageFileShown {
  readonly report: CoverageReportRow | undefined;
  readonly file: CoverageDetailRow | undefined;
  /** The same file in the report that this one is compared with. */
  readonly base: CoverageDetailRow | undefined;
}

/** @throws NotFoundError (coverage build) */
export const showCoverageFile = readOperation(
  'show_coverage_file',
  function* (input: CoverageOf & { reportId: number; path: string }): Steps<CoverageFileShown> {
    const { reportId, path, ...of } = input;
    const target = yield* knownCoverage(of);
    const { reports: known, report } = yield* reportsOf(target.id, reportId);
    const found = report && (yield* one(file, { reportId: report.id, path }));
    const baseId = known.find(({ id }) => id === report?.base_id)?.id;
    const isCompared = found?.new_lines !== null && baseId !== undefined;
    const base = isCompared ? yield* one(file, { reportId: baseId, path }) : undefined;
    return { report, file: found, base };
  },
);

/** Coverage after this key, by project and target name; `isWithin`: of its project alone. */
export const listCoverage = pageOperation(
  'list_coverage',
  function* ({
    isWithin,
    ...keys
  }: CoverageOf & { limit: number; isWithin?: boolean }): Steps<ShownCoverage[]> {
    const listed: ShownCoverage[] = [];
    for (const target of yield* page(isWithin ? afterIn : after, keys)) {
      listed.push(yield* shown(target));
    }
    return listed;
  },
);
