-- What grows with time, and what keeps it from growing without end.

-- How runs went: one row a run and sampling interval.
CREATE TABLE samples (
  job_id                TEXT NOT NULL REFERENCES jobs (id),
  time                  INTEGER NOT NULL,
  fence                 INTEGER NOT NULL,
  executions            INTEGER NOT NULL CHECK (executions >= 0),
  executions_per_second REAL NOT NULL CHECK (executions_per_second >= 0),
  coverage              INTEGER NOT NULL CHECK (coverage >= 0),
  corpus_files          INTEGER NOT NULL CHECK (corpus_files >= 0),
  crashes               INTEGER NOT NULL CHECK (crashes >= 0),
  PRIMARY KEY (job_id, time)
) STRICT, WITHOUT ROWID;

CREATE INDEX samples_by_time ON samples (time);

-- Inputs worth keeping, per target; the sequence is the cursor of PullCorpus.
CREATE TABLE corpus_entries (
  sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
  target_name TEXT NOT NULL,
  sha256      TEXT NOT NULL CHECK (length(sha256) = 64),
  size_bytes  INTEGER NOT NULL CHECK (size_bytes >= 0),
  job_id      TEXT REFERENCES jobs (id) ON DELETE SET NULL,
  added_at    INTEGER NOT NULL,
  UNIQUE (target_name, sha256)
) STRICT;

CREATE INDEX corpus_entries_by_target ON corpus_entries (target_name, sequence);
CREATE INDEX corpus_entries_by_job ON corpus_entries (job_id) WHERE job_id IS NOT NULL;

-- Retention: jobs in the order in which they ended.
CREATE INDEX jobs_finished ON jobs (finished_at, id) WHERE finished_at IS NOT NULL;

CREATE TRIGGER uncount_jobs AFTER DELETE ON jobs
BEGIN UPDATE counters SET value = value - 1 WHERE name = 'jobs.' || OLD.state; END;

