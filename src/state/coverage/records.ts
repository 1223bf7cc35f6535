import {
  Coverage,
  CoverageFile,
  CoverageReport,
  type CoverageSums,
} from '../../gen/pandafuzz/v1/coverage_service.js';
import type {
  CoverageFileRow,
  CoverageReportRow,
  CoverageSumsRow,
} from '../../store/coverage-rows.js';
import type { ShownCoverage } from '../../store/ops/coverage/show-coverage.js';
import { time } from '../messages/records.js';

/** Rows of coverage as messages of the contract. */

export const coverageRecord = ({ target, measuringJobId, newest }: ShownCoverage): Coverage =>
  Coverage.create({
    project: target.project,
    targetName: target.target_name,
    build: {
      targetSha256: target.target_sha256,
      executable: target.executable,
      registeredAt: time(target.registered_at),
    },
    measuringJobId: measuringJobId ?? '',
    newest: newest && reportRecord(newest),
  });

export const reportRecord = (row: CoverageReportRow): CoverageReport =>
  CoverageReport.create({
    id: row.id,
    jobId: row.job_id,
    at: time(row.at),
    targetSha256: row.target_sha256,
    sums: sumsOf(row),
    files: row.files,
    inputs: row.inputs,
    failedInputs: row.failed_inputs,
    tools: row.tools,
    note: row.note,
    change:
      row.base_id === null ? undefined : { newLines: row.new_lines, lostLines: row.lost_lines },
    filesNotCompared: row.files_not_compared,
  });

export const fileRecord = (row: CoverageFileRow): CoverageFile =>
  CoverageFile.create({
    path: row.path,
    sums: sumsOf(row),
    hasSource: row.source_sha256 !== '',
    change:
      row.new_lines === null || row.lost_lines === null
        ? undefined
        : { newLines: row.new_lines, lostLines: row.lost_lines },
  });

const sumsOf = (row: CoverageSumsRow): CoverageSums => ({
  lines: row.lines,
  coveredLines: row.covered_lines,
  functions: row.functions,
  coveredFunctions: row.covered_functions,
  regions: row.regions,
  coveredRegions: row.covered_regions,
});
