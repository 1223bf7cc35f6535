-- Everything the master knows, apart from the blobs, which are files.
-- Times are milliseconds since 1970. JSON columns hold protobuf JSON.
-- A job's states are compared one by one: for IN, SQLite fills a table each time that
-- a job changes, a tenth of the change.

CREATE TABLE bots (
  id                 TEXT PRIMARY KEY,
  name               TEXT NOT NULL,
  engines            TEXT NOT NULL CHECK (json_type(engines) = 'array'),
  slots              INTEGER NOT NULL CHECK (slots > 0),
  labels             TEXT NOT NULL CHECK (json_type(labels) = 'object'),
  memory_mib         INTEGER NOT NULL CHECK (memory_mib >= 0),
  disk_mib           INTEGER NOT NULL CHECK (disk_mib >= 0),
  version            TEXT NOT NULL,
  registered_at      INTEGER NOT NULL,
  last_seen_at       INTEGER NOT NULL,
  drain_requested_at INTEGER,
  drained_at         INTEGER,
  forgotten_at       INTEGER
) STRICT;

-- A bot that was forgotten keeps its row, for what it found; its name is free again.
CREATE UNIQUE INDEX bots_by_name ON bots (name) WHERE forgotten_at IS NULL;
CREATE INDEX bots_known ON bots (id) WHERE forgotten_at IS NULL;

CREATE TABLE artifacts (
  sha256     TEXT PRIMARY KEY CHECK (length(sha256) = 64),
  kind       TEXT NOT NULL CHECK (kind IN ('target', 'seeds')),
  name       TEXT NOT NULL,
  size_bytes INTEGER NOT NULL CHECK (size_bytes > 0),
  created_at INTEGER NOT NULL
) STRICT;

-- Whose jobs take turns, and how; made with a campaign's first job.
CREATE TABLE campaigns (
  key          TEXT PRIMARY KEY,
  weight       INTEGER NOT NULL CHECK (weight > 0),
  max_parallel INTEGER NOT NULL CHECK (max_parallel >= 0)
) STRICT, WITHOUT ROWID;

-- Jobs of one campaign that ask the same of a bot: few, however many jobs there are.
CREATE TABLE queues (
  id         INTEGER PRIMARY KEY,
  campaign   TEXT NOT NULL,
  engine     TEXT NOT NULL,
  labels     TEXT NOT NULL CHECK (json_type(labels) = 'object'),
  memory_mib INTEGER NOT NULL CHECK (memory_mib >= 0),
  disk_mib   INTEGER NOT NULL CHECK (disk_mib >= 0),
  -- Kept by the triggers below.
  pending    INTEGER NOT NULL DEFAULT 0 CHECK (pending >= 0),
  UNIQUE (campaign, engine, labels, memory_mib, disk_mib)
) STRICT;

CREATE TABLE jobs (
  id                  TEXT PRIMARY KEY,
  request_id          TEXT UNIQUE,
  state               TEXT NOT NULL
                      CHECK (state = 'pending' OR state = 'assigned' OR state = 'running'
                        OR state = 'completed' OR state = 'cancelled' OR state = 'dead'
                        OR state = 'paused'),
  queue_id            INTEGER NOT NULL REFERENCES queues (id),
  campaign            TEXT NOT NULL,
  engine              TEXT NOT NULL,
  priority            INTEGER NOT NULL,
  target_sha256       TEXT NOT NULL REFERENCES artifacts (sha256),
  seeds_sha256        TEXT REFERENCES artifacts (sha256),
  target_name         TEXT NOT NULL,
  max_attempts        INTEGER NOT NULL CHECK (max_attempts > 0),
  attempt             INTEGER NOT NULL DEFAULT 0,
  failed_attempts     INTEGER NOT NULL DEFAULT 0,
  refused_attempts    INTEGER NOT NULL DEFAULT 0,
  lost_attempts       INTEGER NOT NULL DEFAULT 0,
  fence               INTEGER NOT NULL DEFAULT 0,
  bot_id              TEXT REFERENCES bots (id),
  created_at          INTEGER NOT NULL,
  started_at          INTEGER,
  finished_at         INTEGER,
  cancel_requested_at INTEGER,
  -- When the bot said that it is stopping the run.
  cancel_acknowledged_at INTEGER,
  pause_requested_at  INTEGER,
  -- When the time allowed for the run was over.
  timed_out_at        INTEGER,
  -- Pending, but not to be handed out before ready_at.
  delayed             INTEGER NOT NULL DEFAULT 0 CHECK (delayed IN (0, 1)),
  ready_at            INTEGER,
  -- JobTimeouts: until when it must have started, how long a run may last, when all is over.
  start_within_ms     INTEGER,
  start_by            INTEGER,
  run_within_ms       INTEGER,
  close_within_ms     INTEGER,
  close_by            INTEGER,
  -- The next of these that falls due in this state.
  due_at              INTEGER,
  outcome             TEXT,
  message             TEXT,
  statistics          TEXT CHECK (statistics IS NULL OR json_valid(statistics)),
  spec                TEXT NOT NULL CHECK (json_type(spec) = 'object'),
  CHECK ((finished_at IS NOT NULL) = (state = 'completed' OR state = 'cancelled' OR state = 'dead')),
  CHECK (failed_attempts + refused_attempts BETWEEN 0 AND max_attempts),
  CHECK (delayed = 0 OR (state = 'pending' AND ready_at IS NOT NULL))
) STRICT;

-- The claim: the first entry of a queue is the job that goes next.
CREATE INDEX jobs_pending ON jobs (queue_id, priority DESC, id)
  WHERE state = 'pending' AND delayed = 0;
CREATE INDEX jobs_delayed ON jobs (ready_at, id) WHERE delayed = 1;
CREATE INDEX jobs_due ON jobs (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX jobs_by_state ON jobs (state, id);

-- The leases that are valid now. One a job: the primary key says so.
CREATE TABLE leases (
  job_id          TEXT PRIMARY KEY REFERENCES jobs (id),
  attempt         INTEGER NOT NULL,
  fence           INTEGER NOT NULL,
  bot_id          TEXT NOT NULL REFERENCES bots (id),
  ttl_ms          INTEGER NOT NULL CHECK (ttl_ms > 0),
  pulled          INTEGER NOT NULL CHECK (pulled IN (0, 1)),
  assigned_at     INTEGER NOT NULL,
  acknowledged_at INTEGER
) STRICT;

CREATE INDEX leases_by_bot ON leases (bot_id);

-- Every lease ever handed out, and what became of it.
CREATE TABLE attempts (
  job_id          TEXT NOT NULL REFERENCES jobs (id),
  fence           INTEGER NOT NULL,
  attempt         INTEGER NOT NULL,
  bot_id          TEXT NOT NULL REFERENCES bots (id),
  assigned_at     INTEGER NOT NULL,
  acknowledged_at INTEGER,
  ended_at        INTEGER,
  outcome         TEXT,
  message         TEXT,
  statistics      TEXT CHECK (statistics IS NULL OR json_valid(statistics)),
  state_after     TEXT,
  PRIMARY KEY (job_id, fence),
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE crash_groups (
  id             TEXT PRIMARY KEY,
  target_name    TEXT NOT NULL,
  signature      TEXT NOT NULL,
  kind           TEXT NOT NULL,
  top_frame      TEXT NOT NULL,
  count          INTEGER NOT NULL CHECK (count > 0),
  first_found_at INTEGER NOT NULL,
  last_found_at  INTEGER NOT NULL,
  first_crash_id TEXT NOT NULL,
  UNIQUE (target_name, signature)
) STRICT;

CREATE TABLE crashes (
  id               TEXT PRIMARY KEY,
  group_id         TEXT NOT NULL REFERENCES crash_groups (id),
  job_id           TEXT NOT NULL REFERENCES jobs (id),
  attempt          INTEGER NOT NULL,
  bot_id           TEXT NOT NULL REFERENCES bots (id),
  target_name      TEXT NOT NULL,
  kind             TEXT NOT NULL,
  top_frame        TEXT NOT NULL,
  input_sha256     TEXT NOT NULL CHECK (length(input_sha256) = 64),
  input_size_bytes INTEGER NOT NULL CHECK (input_size_bytes >= 0),
  found_at         INTEGER NOT NULL,
  late             INTEGER NOT NULL CHECK (late IN (0, 1)),
  frames           TEXT NOT NULL CHECK (json_type(frames) = 'array'),
  report           TEXT NOT NULL,
  UNIQUE (job_id, input_sha256)
) STRICT;

CREATE INDEX crashes_by_group ON crashes (group_id, id);
CREATE INDEX crashes_by_job ON crashes (job_id, id);

-- What happened, in order; written in the transaction of the change itself.
CREATE TABLE events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  time     INTEGER NOT NULL,
  kind     TEXT NOT NULL,
  subject  TEXT NOT NULL,
  detail   TEXT NOT NULL CHECK (json_type(detail) = 'object')
) STRICT;

CREATE INDEX events_by_subject ON events (subject, sequence);

CREATE TRIGGER events_are_kept_as_written BEFORE UPDATE ON events
BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;

-- How many there are, without counting: kept by the tables themselves.
CREATE TABLE counters (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL CHECK (value >= 0)
) STRICT, WITHOUT ROWID;

INSERT INTO counters (name, value) VALUES
  ('bots', 0), ('crashes', 0), ('crash_groups', 0),
  ('jobs.pending', 0), ('jobs.assigned', 0), ('jobs.running', 0),
  ('jobs.completed', 0), ('jobs.cancelled', 0), ('jobs.dead', 0), ('jobs.paused', 0);

CREATE TRIGGER count_bots AFTER INSERT ON bots
BEGIN UPDATE counters SET value = value + 1 WHERE name = 'bots'; END;

CREATE TRIGGER uncount_bots AFTER UPDATE OF forgotten_at ON bots WHEN NEW.forgotten_at IS NOT NULL
BEGIN UPDATE counters SET value = value - 1 WHERE name = 'bots'; END;

CREATE TRIGGER count_crashes AFTER INSERT ON crashes
BEGIN UPDATE counters SET value = value + 1 WHERE name = 'crashes'; END;

CREATE TRIGGER count_crash_groups AFTER INSERT ON crash_groups
BEGIN UPDATE counters SET value = value + 1 WHERE name = 'crash_groups'; END;

CREATE TRIGGER count_jobs AFTER INSERT ON jobs
BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'jobs.' || NEW.state;
  UPDATE queues SET pending = pending + 1 WHERE id = NEW.queue_id AND NEW.state = 'pending';
END;

CREATE TRIGGER recount_jobs AFTER UPDATE OF state ON jobs WHEN OLD.state <> NEW.state
BEGIN
  UPDATE counters SET value = value - 1 WHERE name = 'jobs.' || OLD.state;
  UPDATE counters SET value = value + 1 WHERE name = 'jobs.' || NEW.state;
  UPDATE queues SET pending = pending + (NEW.state = 'pending') - (OLD.state = 'pending')
    WHERE id = NEW.queue_id AND 'pending' IN (NEW.state, OLD.state);
END;
