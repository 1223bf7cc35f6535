import { NotFoundError } from '../../../core/errors.js';
import type { CoverageReportRow, CoverageTargetRow } from '../../coverage-rows.js';
import { forUpdate } from '../../sql.js';
import { one, type Steps, statement } from '../../statement.js';

/** What coverage belongs to. */
export interface CoverageOf {
  project: string;
  targetName: string;
}

/** Complete reports of one target that are kept. */
export const mostReports = 10;

export const targetColumns =
  'id, project, target_name, target_sha256, executable, registered_at, job_id';
export const reportColumns = `id, job_id, at, target_sha256, base_id, lines, covered_lines,
  functions, covered_functions, regions, covered_regions, files, inputs, failed_inputs, tools,
  note, new_lines, lost_lines, files_not_compared`;

const byKey = statement<CoverageOf, CoverageTargetRow>(`
  SELECT ${targetColumns} FROM coverage_targets
  WHERE project = @project AND target_name = @targetName`);
const toChange = statement<CoverageOf, CoverageTargetRow>(`
  SELECT ${targetColumns} FROM coverage_targets
  WHERE project = @project AND target_name = @targetName ${forUpdate()}`);
const newest = statement<{ id: number }, CoverageReportRow>(`
  SELECT ${reportColumns} FROM coverage_reports
  WHERE coverage_id = @id AND state = 'complete' ORDER BY id DESC LIMIT 1`);
const underWay = statement<{ id: string }, { id: string }>(
  'SELECT id FROM jobs WHERE id = @id AND finished_at IS NULL',
);

const absent = ({ project, targetName }: CoverageOf) =>
  new NotFoundError({ resource: 'coverage build', id: `${project}/${targetName}` });

/** @throws NotFoundError (coverage build) */
export function* knownCoverage({ project, targetName }: CoverageOf): Steps<CoverageTargetRow> {
  const found = yield* one(byKey, { project, targetName });
  if (found) return found;
  throw absent({ project, targetName });
}

/** As `knownCoverage`, locked until the commit. @throws NotFoundError (coverage build) */
export function* coverageToChange({ project, targetName }: CoverageOf): Steps<CoverageTargetRow> {
  const found = yield* one(toChange, { project, targetName });
  if (found) return found;
  throw absent({ project, targetName });
}

export const newestReport = (id: number) => one(newest, { id });

/** The job that makes a report now; undefined when none does. */
export function* measuringJob({ job_id: id }: CoverageTargetRow): Steps<string | undefined> {
  return id === null ? undefined : (yield* one(underWay, { id }))?.id;
}
