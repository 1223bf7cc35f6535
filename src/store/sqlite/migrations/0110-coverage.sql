-- Source coverage of targets: builds that measure it, and reports.

DROP INDEX jobs_that_fuzz;
DROP INDEX jobs_that_fuzz_by;
DROP INDEX jobs_that_work;

ALTER TABLE jobs RENAME COLUMN kind TO kind_before;
ALTER TABLE jobs ADD COLUMN kind TEXT NOT NULL DEFAULT 'fuzz'
  CHECK (kind = 'fuzz' OR kind = 'reproduce' OR kind = 'minimise' OR kind = 'verify'
    OR kind = 'merge' OR kind = 'coverage');
UPDATE jobs SET kind = kind_before WHERE kind_before <> 'fuzz';
ALTER TABLE jobs DROP COLUMN kind_before;

CREATE INDEX jobs_that_fuzz ON jobs (project, target_name, id) WHERE kind = 'fuzz';
CREATE INDEX jobs_that_fuzz_by ON jobs (project, target_name, engine, id) WHERE kind = 'fuzz';
CREATE INDEX jobs_that_work ON jobs (project, target_name, id) WHERE kind <> 'fuzz';

CREATE TABLE coverage_targets (
  id            INTEGER PRIMARY KEY,
  project       TEXT NOT NULL,
  target_name   TEXT NOT NULL,
  target_sha256 TEXT NOT NULL REFERENCES artifacts (sha256),
  executable    TEXT NOT NULL,
  registered_at INTEGER NOT NULL,
  -- The last job that was made. It may be forgotten before the row.
  job_id        TEXT,
  -- When the next one is to be made.
  due_at        INTEGER NOT NULL,
  -- What the newest report was made of: a build, and a corpus up to a cursor.
  seen_sha256   TEXT NOT NULL DEFAULT '',
  seen_revision INTEGER NOT NULL DEFAULT 0,
  seen_cursor   INTEGER NOT NULL DEFAULT 0,
  UNIQUE (project, target_name)
) STRICT;

CREATE INDEX coverage_targets_due ON coverage_targets (due_at, id);
CREATE INDEX coverage_targets_by_artifact ON coverage_targets (target_sha256, project);

CREATE TABLE coverage_reports (
  id                 INTEGER PRIMARY KEY AUTOINCREMENT,
  coverage_id        INTEGER NOT NULL REFERENCES coverage_targets (id),
  job_id             TEXT NOT NULL,
  fence              INTEGER NOT NULL,
  -- ended: its files are to be deleted, and then itself.
  state              TEXT NOT NULL
                     CHECK (state = 'gathering' OR state = 'complete' OR state = 'ended'),
  at                 INTEGER NOT NULL,
  target_sha256      TEXT NOT NULL,
  -- The report that it is compared with; NULL: it is the first.
  base_id            INTEGER,
  lines              INTEGER NOT NULL DEFAULT 0 CHECK (lines >= 0),
  covered_lines      INTEGER NOT NULL DEFAULT 0 CHECK (covered_lines <= lines),
  functions          INTEGER NOT NULL DEFAULT 0 CHECK (functions >= 0),
  covered_functions  INTEGER NOT NULL DEFAULT 0 CHECK (covered_functions <= functions),
  regions            INTEGER NOT NULL DEFAULT 0 CHECK (regions >= 0),
  covered_regions    INTEGER NOT NULL DEFAULT 0 CHECK (covered_regions <= regions),
  files              INTEGER NOT NULL DEFAULT 0 CHECK (files >= 0),
  inputs             INTEGER NOT NULL DEFAULT 0 CHECK (inputs >= 0),
  failed_inputs      INTEGER NOT NULL DEFAULT 0 CHECK (failed_inputs >= 0),
  tools              TEXT NOT NULL DEFAULT '',
  note               TEXT NOT NULL DEFAULT '',
  new_lines          INTEGER NOT NULL DEFAULT 0 CHECK (new_lines >= 0),
  lost_lines         INTEGER NOT NULL DEFAULT 0 CHECK (lost_lines >= 0),
  files_not_compared INTEGER NOT NULL DEFAULT 0 CHECK (files_not_compared >= 0)
) STRICT;

CREATE INDEX coverage_reports_of ON coverage_reports (coverage_id, state, id);
CREATE INDEX coverage_reports_ended ON coverage_reports (id) WHERE state = 'ended';

CREATE TABLE coverage_files (
  report_id         INTEGER NOT NULL REFERENCES coverage_reports (id),
  path              TEXT NOT NULL,
  lines             INTEGER NOT NULL CHECK (lines >= 0),
  covered_lines     INTEGER NOT NULL CHECK (covered_lines BETWEEN 0 AND lines),
  functions         INTEGER NOT NULL CHECK (functions >= 0),
  covered_functions INTEGER NOT NULL CHECK (covered_functions BETWEEN 0 AND functions),
  regions           INTEGER NOT NULL CHECK (regions >= 0),
  covered_regions   INTEGER NOT NULL CHECK (covered_regions BETWEEN 0 AND regions),
  -- '': it has none.
  source_sha256     TEXT NOT NULL,
  -- NULL: it could not be compared.
  new_lines         INTEGER CHECK (new_lines >= 0),
  lost_lines        INTEGER CHECK (lost_lines >= 0),
  -- CoverageDetail as gzip, base64.
  detail            TEXT NOT NULL,
  PRIMARY KEY (report_id, path)
) STRICT, WITHOUT ROWID;
