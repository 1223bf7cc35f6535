-- Jobs that work on crashes, and queues whose jobs are not for one bot.

-- The table of queues is made anew, for its UNIQUE; jobs refer to it meanwhile.
PRAGMA defer_foreign_keys = ON;

CREATE TABLE queues_before AS SELECT * FROM queues;
DROP TABLE queues;

-- Jobs of one campaign that ask the same of a bot: few, however many jobs there are.
CREATE TABLE queues (
  id                INTEGER PRIMARY KEY,
  campaign          TEXT NOT NULL,
  -- What the bot must announce: a job that works on crashes asks for more than its engine.
  engine            TEXT NOT NULL,
  labels            TEXT NOT NULL CHECK (json_type(labels) = 'object'),
  memory_mib        INTEGER NOT NULL CHECK (memory_mib >= 0),
  disk_mib          INTEGER NOT NULL CHECK (disk_mib >= 0),
  -- Not this bot; empty: any.
  other_than_bot_id TEXT NOT NULL DEFAULT '',
  -- Kept by triggers.
  pending           INTEGER NOT NULL DEFAULT 0 CHECK (pending >= 0),
  UNIQUE (campaign, engine, labels, memory_mib, disk_mib, other_than_bot_id)
) STRICT;

INSERT INTO queues (id, campaign, engine, labels, memory_mib, disk_mib, pending)
SELECT id, campaign, engine, labels, memory_mib, disk_mib, pending FROM queues_before;

DROP TABLE queues_before;

ALTER TABLE jobs ADD COLUMN kind TEXT NOT NULL DEFAULT 'fuzz'
  CHECK (kind = 'fuzz' OR kind = 'reproduce' OR kind = 'minimise' OR kind = 'verify');

-- Builds that a fuzzing job was made for: the first job of a new one has it verified. That
-- job may be forgotten before the row.
CREATE TABLE target_builds (
  project       TEXT NOT NULL,
  target_name   TEXT NOT NULL,
  target_sha256 TEXT NOT NULL,
  first_job_id  TEXT NOT NULL,
  PRIMARY KEY (project, target_name, target_sha256)
) STRICT, WITHOUT ROWID;

INSERT INTO target_builds (project, target_name, target_sha256, first_job_id)
SELECT project, target_name, target_sha256, min(id)
FROM jobs GROUP BY project, target_name, target_sha256;

-- Work on crashes that is to be done or under way. A row goes when its job has ended.
CREATE TABLE crash_work (
  id             INTEGER PRIMARY KEY,
  kind           TEXT NOT NULL CHECK (kind IN ('reproduce', 'minimise', 'verify')),
  project        TEXT NOT NULL,
  target_name    TEXT NOT NULL,
  -- Of a verification.
  target_sha256  TEXT,
  -- Of a verification: groups up to this one are the work of earlier jobs.
  after_group_id TEXT NOT NULL DEFAULT '',
  -- Of the other kinds.
  crash_id       TEXT REFERENCES crashes (id),
  -- Jobs that died over it.
  tries          INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  -- NULL: it waits for its job to be made. The job may be forgotten before the row.
  job_id         TEXT,
  CHECK ((kind = 'verify') = (target_sha256 IS NOT NULL)),
  CHECK ((kind = 'verify') = (crash_id IS NULL))
) STRICT;

CREATE INDEX crash_work_waiting ON crash_work (project, target_name, id) WHERE job_id IS NULL;
CREATE INDEX crash_work_made ON crash_work (project, target_name) WHERE job_id IS NOT NULL;
CREATE UNIQUE INDEX crash_work_by_job ON crash_work (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX crash_work_by_crash ON crash_work (crash_id) WHERE crash_id IS NOT NULL;
