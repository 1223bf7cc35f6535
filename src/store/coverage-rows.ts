/** Rows of source coverage as the operations return them. */

export interface CoverageTargetRow {
  id: number;
  project: string;
  target_name: string;
  target_sha256: string;
  executable: string;
  registered_at: number;
  job_id: string | null;
}

/** Parts of a source, and those of them that ran. */
export interface CoverageSumsRow {
  lines: number;
  covered_lines: number;
  functions: number;
  covered_functions: number;
  regions: number;
  covered_regions: number;
}

export interface CoverageReportRow extends CoverageSumsRow {
  id: number;
  job_id: string;
  at: number;
  target_sha256: string;
  base_id: number | null;
  files: number;
  inputs: number;
  failed_inputs: number;
  tools: string;
  note: string;
  new_lines: number;
  lost_lines: number;
  files_not_compared: number;
}

export interface CoverageFileRow extends CoverageSumsRow {
  path: string;
  /** '': it has no source. */
  source_sha256: string;
  /** null: it could not be compared. */
  new_lines: number | null;
  lost_lines: number | null;
}

/** A file with its CoverageDetail, as gzip in base64. */
export interface CoverageDetailRow extends CoverageFileRow {
  detail: string;
}
