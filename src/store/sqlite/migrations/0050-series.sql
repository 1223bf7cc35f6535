-- Figures over time, of the fleet and of parts of it, in buckets of three lengths. They take the
-- place of samples, of which there was one a run and minute, and no way to read them.
DROP TABLE samples;

CREATE TABLE series (
  -- "fleet", or a kind and a name: "job ID", "target PROJECT/NAME".
  subject           TEXT NOT NULL,
  -- Length of the bucket, seconds.
  step_s            INTEGER NOT NULL CHECK (step_s IN (10, 60, 600)),
  -- Its begin, ms since 1970.
  time              INTEGER NOT NULL,
  -- What engines count differently is kept apart; empty where nothing is.
  engine            TEXT NOT NULL,
  -- Looks at the runs in the bucket; sums over looks are divided by it.
  looks             INTEGER NOT NULL CHECK (looks > 0),
  rate_sum          REAL NOT NULL,
  rate_min          REAL NOT NULL,
  rate_max          REAL NOT NULL,
  running_sum       INTEGER NOT NULL,
  -- What came in the bucket.
  executions        INTEGER NOT NULL,
  fuzzed_ms         INTEGER NOT NULL,
  crash_hits        INTEGER NOT NULL,
  new_groups        INTEGER NOT NULL,
  -- The largest of the runs in the bucket.
  coverage          INTEGER NOT NULL,
  features          INTEGER NOT NULL,
  corpus_files      INTEGER NOT NULL,
  corpus_bytes      INTEGER NOT NULL,
  peak_memory_bytes INTEGER NOT NULL,
  PRIMARY KEY (subject, step_s, time, engine)
) STRICT, WITHOUT ROWID;

CREATE INDEX series_by_time ON series (step_s, time);
