-- What runs have done in all, for counters of /metrics that go on after a restart. At most as many
-- rows as /metrics has series (state/series/run-sums.ts).
CREATE TABLE run_sums (
  project     TEXT NOT NULL,
  target_name TEXT NOT NULL,
  campaign    TEXT NOT NULL,
  engine      TEXT NOT NULL,
  executions  INTEGER NOT NULL CHECK (executions >= 0),
  fuzzed_ms   INTEGER NOT NULL CHECK (fuzzed_ms >= 0),
  crash_hits  INTEGER NOT NULL CHECK (crash_hits >= 0),
  new_groups  INTEGER NOT NULL CHECK (new_groups >= 0),
  -- When a run last added to it, ms since 1970.
  last_at     INTEGER NOT NULL,
  PRIMARY KEY (project, target_name, campaign, engine)
) STRICT, WITHOUT ROWID;
