-- Crashes with what their reports say, groups that people work with, and what they decide.

-- The namespace of a job's target.
ALTER TABLE jobs ADD COLUMN project TEXT NOT NULL DEFAULT 'default';

DROP TRIGGER count_crashes;
DROP TRIGGER count_crash_groups;
DROP INDEX crashes_by_group;
DROP INDEX crashes_by_job;
ALTER TABLE crash_groups RENAME TO crash_groups_before;
ALTER TABLE crashes RENAME TO crashes_before;

-- A group that was merged away keeps its row, for those who have its id: without crashes.
CREATE TABLE crash_groups (
  id                  TEXT PRIMARY KEY,
  project             TEXT NOT NULL,
  target_name         TEXT NOT NULL,
  -- As in its oldest crash.
  kind                TEXT NOT NULL,
  message             TEXT NOT NULL,
  top_frame           TEXT NOT NULL,
  security            INTEGER NOT NULL CHECK (security IN (0, 1)),
  -- Inputs that are kept.
  count               INTEGER NOT NULL CHECK (count >= 0),
  -- Times it was met.
  hits                INTEGER NOT NULL CHECK (hits >= count),
  -- How many of group_sources, by kind.
  jobs                INTEGER NOT NULL CHECK (jobs >= 0),
  bots                INTEGER NOT NULL CHECK (bots >= 0),
  builds              INTEGER NOT NULL CHECK (builds >= 0),
  first_found_at      INTEGER NOT NULL,
  last_found_at       INTEGER NOT NULL,
  first_crash_id      TEXT NOT NULL,
  reproducer_crash_id TEXT NOT NULL,
  status              TEXT NOT NULL
                      CHECK (status IN ('new', 'confirmed', 'fixed', 'wont_fix', 'ignored')),
  note                TEXT NOT NULL,
  status_set_by       TEXT NOT NULL,
  status_set_at       INTEGER,
  fixed_in_sha256     TEXT,
  -- Builds uploaded since bring a fixed group back; NULL: jobs made since status_set_at do.
  reopens_from        INTEGER,
  reopened_at         INTEGER,
  merged_into         TEXT REFERENCES crash_groups (id),
  frames              TEXT NOT NULL CHECK (json_type(frames) = 'array'),
  CHECK (status = 'fixed' OR (fixed_in_sha256 IS NULL AND reopens_from IS NULL)),
  CHECK (merged_into IS NULL OR (merged_into <> id AND count = 0))
) STRICT;

CREATE TABLE crashes (
  id                TEXT PRIMARY KEY,
  group_id          TEXT NOT NULL REFERENCES crash_groups (id),
  job_id            TEXT NOT NULL REFERENCES jobs (id),
  attempt           INTEGER NOT NULL,
  bot_id            TEXT NOT NULL REFERENCES bots (id),
  project           TEXT NOT NULL,
  target_name       TEXT NOT NULL,
  target_sha256     TEXT NOT NULL,
  kind              TEXT NOT NULL,
  message           TEXT NOT NULL,
  top_frame         TEXT NOT NULL,
  access            TEXT NOT NULL CHECK (access IN ('', 'read', 'write')),
  access_size_bytes INTEGER NOT NULL CHECK (access_size_bytes >= 0),
  address           TEXT NOT NULL CHECK (address IN ('', 'near-null', 'wild')),
  security          INTEGER NOT NULL CHECK (security IN (0, 1)),
  security_why      TEXT NOT NULL,
  language          TEXT NOT NULL,
  -- By which version of the reader; 0: it has to be grouped again.
  signature_version INTEGER NOT NULL CHECK (signature_version >= 0),
  signature         TEXT NOT NULL,
  -- Empty for a report that could not be read.
  distinction       TEXT NOT NULL,
  input_sha256      TEXT NOT NULL CHECK (length(input_sha256) = 64),
  input_size_bytes  INTEGER NOT NULL CHECK (input_size_bytes >= 0),
  found_at          INTEGER NOT NULL,
  last_met_at       INTEGER NOT NULL CHECK (last_met_at >= found_at),
  hits              INTEGER NOT NULL CHECK (hits > 0),
  late              INTEGER NOT NULL CHECK (late IN (0, 1)),
  -- When it was run again last: 0 it crashed into its group, 2 it did not; 1: never run.
  reproduced_rank   INTEGER NOT NULL DEFAULT 1 CHECK (reproduced_rank IN (0, 1, 2)),
  minimised_from    TEXT,
  -- The long ones last: what lists read lies before them.
  frames            TEXT NOT NULL CHECK (json_type(frames) = 'array'),
  stack             TEXT NOT NULL CHECK (json_type(stack) = 'array'),
  context           TEXT CHECK (context IS NULL OR json_type(context) = 'object'),
  report            TEXT NOT NULL,
  UNIQUE (job_id, input_sha256)
) STRICT;

INSERT INTO crash_groups (id, project, target_name, kind, message, top_frame, security, count,
  hits, jobs, bots, builds, first_found_at, last_found_at, first_crash_id, reproducer_crash_id,
  status, note, status_set_by, frames)
SELECT id, 'default', target_name, kind, '', top_frame, 0, count, count, 0, 0, 0, first_found_at,
  last_found_at, first_crash_id, first_crash_id, 'new', '', '', '[]'
FROM crash_groups_before;

-- Version 1: the master reads each report again as it starts.
INSERT INTO crashes (id, group_id, job_id, attempt, bot_id, project, target_name, target_sha256,
  kind, message, top_frame, access, access_size_bytes, address, security, security_why, language,
  signature_version, signature, distinction, input_sha256, input_size_bytes, found_at,
  last_met_at, hits, late, frames, stack, report)
SELECT crash.id, group_id, job_id, crash.attempt, crash.bot_id, 'default', crash.target_name,
  jobs.target_sha256, crash.kind, '', crash.top_frame, '', 0, '', 0, '', '',
  1, crash_groups_before.signature, '', input_sha256, input_size_bytes, found_at,
  found_at, 1, late, frames, '[]', report
FROM crashes_before AS crash
  JOIN jobs ON jobs.id = job_id
  JOIN crash_groups_before ON crash_groups_before.id = group_id;

CREATE INDEX crash_groups_by_target ON crash_groups (project, target_name, id)
  WHERE merged_into IS NULL;
CREATE INDEX crash_groups_by_project ON crash_groups (project, id) WHERE merged_into IS NULL;
CREATE INDEX crash_groups_by_target_name ON crash_groups (target_name, id)
  WHERE merged_into IS NULL;
CREATE INDEX crash_groups_by_status ON crash_groups (status, id) WHERE merged_into IS NULL;
CREATE INDEX crash_groups_live ON crash_groups (id) WHERE merged_into IS NULL;
-- Groups that look alike.
CREATE INDEX crash_groups_by_frame ON crash_groups (project, target_name, top_frame, id)
  WHERE merged_into IS NULL;
CREATE INDEX crash_groups_by_message ON crash_groups (project, target_name, message, id)
  WHERE merged_into IS NULL;
CREATE INDEX crash_groups_merged ON crash_groups (merged_into, id) WHERE merged_into IS NOT NULL;

CREATE INDEX crashes_by_group ON crashes (group_id, id);
CREATE INDEX crashes_by_job ON crashes (job_id, id);
CREATE INDEX crashes_by_target ON crashes (project, target_name, id);
CREATE INDEX crashes_by_version ON crashes (signature_version, id);
CREATE INDEX crashes_to_begin_with ON crashes (group_id, reproduced_rank, input_size_bytes, id);

-- Which group the crashes of a signature go to; a merge gives a group more than one. A row
-- is made just before its group.
CREATE TABLE crash_signatures (
  project     TEXT NOT NULL,
  target_name TEXT NOT NULL,
  signature   TEXT NOT NULL,
  group_id    TEXT NOT NULL,
  PRIMARY KEY (project, target_name, signature)
) STRICT, WITHOUT ROWID;

CREATE INDEX crash_signatures_by_group ON crash_signatures (group_id);

INSERT INTO crash_signatures (project, target_name, signature, group_id)
SELECT 'default', target_name, signature, id FROM crash_groups_before;

-- Merges and splits.
CREATE TABLE crash_decisions (
  id          TEXT PRIMARY KEY,
  kind        TEXT NOT NULL CHECK (kind IN ('merge', 'split')),
  project     TEXT NOT NULL,
  target_name TEXT NOT NULL,
  group_id    TEXT NOT NULL REFERENCES crash_groups (id),
  to_group_id TEXT NOT NULL REFERENCES crash_groups (id),
  crashes     INTEGER NOT NULL CHECK (crashes >= 0),
  decided_by  TEXT NOT NULL,
  decided_at  INTEGER NOT NULL,
  undone_by   TEXT,
  undone_at   INTEGER
) STRICT;

CREATE INDEX crash_decisions_by_target ON crash_decisions (project, target_name, id);
CREATE INDEX crash_decisions_from ON crash_decisions (group_id, id);
CREATE INDEX crash_decisions_to ON crash_decisions (to_group_id, id);

-- What a decision is about, by crashes: these mean the same to every version of the reader.
CREATE TABLE crash_decision_anchors (
  decision_id TEXT NOT NULL REFERENCES crash_decisions (id),
  crash_id    TEXT NOT NULL REFERENCES crashes (id),
  -- It went; 0: it stands for the group that others came to.
  moved       INTEGER NOT NULL CHECK (moved IN (0, 1)),
  PRIMARY KEY (decision_id, crash_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX crash_decision_anchors_by_crash ON crash_decision_anchors (crash_id);

-- Where a split sends the crashes that come after it; looked up before signatures.
CREATE TABLE crash_distinctions (
  project     TEXT NOT NULL,
  target_name TEXT NOT NULL,
  distinction TEXT NOT NULL,
  group_id    TEXT NOT NULL,
  decision_id TEXT NOT NULL REFERENCES crash_decisions (id),
  PRIMARY KEY (project, target_name, distinction)
) STRICT, WITHOUT ROWID;

CREATE INDEX crash_distinctions_by_group ON crash_distinctions (group_id);
CREATE INDEX crash_distinctions_by_decision ON crash_distinctions (decision_id);

-- Jobs, bots and builds that met a group.
CREATE TABLE group_sources (
  group_id  TEXT NOT NULL REFERENCES crash_groups (id),
  kind      TEXT NOT NULL CHECK (kind IN ('job', 'bot', 'build')),
  source_id TEXT NOT NULL,
  PRIMARY KEY (group_id, kind, source_id)
) STRICT, WITHOUT ROWID;

INSERT INTO group_sources SELECT DISTINCT group_id, 'job', job_id FROM crashes;
INSERT INTO group_sources SELECT DISTINCT group_id, 'bot', bot_id FROM crashes;
INSERT INTO group_sources SELECT DISTINCT group_id, 'build', target_sha256 FROM crashes;
UPDATE crash_groups SET
  jobs = (SELECT count(*) FROM group_sources WHERE group_id = id AND kind = 'job'),
  bots = (SELECT count(*) FROM group_sources WHERE group_id = id AND kind = 'bot'),
  builds = (SELECT count(*) FROM group_sources WHERE group_id = id AND kind = 'build');

-- What each build made of a group.
CREATE TABLE group_builds (
  group_id         TEXT NOT NULL REFERENCES crash_groups (id),
  target_sha256    TEXT NOT NULL,
  -- When the build was uploaded.
  built_at         INTEGER NOT NULL,
  first_met_at     INTEGER,
  last_met_at      INTEGER,
  hits             INTEGER NOT NULL CHECK (hits >= 0),
  -- When its reproducer was tried there last, and whether it crashed.
  verified_at      INTEGER,
  verified_crashes INTEGER CHECK (verified_crashes IN (0, 1)),
  PRIMARY KEY (group_id, target_sha256),
  CHECK ((first_met_at IS NULL) = (hits = 0)),
  CHECK ((verified_at IS NULL) = (verified_crashes IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX group_builds_by_age ON group_builds (group_id, built_at);

INSERT INTO group_builds (group_id, target_sha256, built_at, first_met_at, last_met_at, hits)
SELECT group_id, target_sha256, created_at, min(found_at), max(found_at), count(*)
FROM crashes JOIN artifacts ON sha256 = target_sha256
GROUP BY group_id, target_sha256;

-- How often each attempt has met a crash so far: totals, so that they can be sent again.
CREATE TABLE crash_hits (
  crash_id TEXT NOT NULL REFERENCES crashes (id),
  fence    INTEGER NOT NULL,
  hits     INTEGER NOT NULL CHECK (hits > 0),
  PRIMARY KEY (crash_id, fence)
) STRICT, WITHOUT ROWID;

INSERT INTO crash_hits (crash_id, fence, hits)
SELECT crashes.id, max(fence), 1
FROM crashes JOIN attempts
  ON attempts.job_id = crashes.job_id AND attempts.attempt = crashes.attempt
GROUP BY crashes.id;

-- What came of running a crash's input again. Its job may be forgotten before it.
CREATE TABLE reproductions (
  id            TEXT PRIMARY KEY,
  crash_id      TEXT NOT NULL REFERENCES crashes (id),
  job_id        TEXT NOT NULL,
  fence         INTEGER NOT NULL,
  bot_id        TEXT NOT NULL REFERENCES bots (id),
  target_sha256 TEXT NOT NULL,
  runs          INTEGER NOT NULL CHECK (runs > 0),
  crashes       INTEGER NOT NULL CHECK (crashes BETWEEN 0 AND runs),
  at            INTEGER NOT NULL,
  log           TEXT NOT NULL,
  UNIQUE (crash_id, job_id, fence)
) STRICT;

CREATE INDEX reproductions_by_crash ON reproductions (crash_id, id);

DROP TABLE crashes_before;
DROP TABLE crash_groups_before;

UPDATE counters SET name = 'crash_inputs_kept' WHERE name = 'crashes';
INSERT INTO counters (name, value)
SELECT 'crash_hits', value FROM counters WHERE name = 'crash_inputs_kept';

CREATE TRIGGER count_crashes AFTER INSERT ON crashes
BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'crash_inputs_kept';
  UPDATE counters SET value = value + NEW.hits WHERE name = 'crash_hits';
END;

CREATE TRIGGER count_crash_hits AFTER UPDATE OF hits ON crashes WHEN NEW.hits <> OLD.hits
BEGIN UPDATE counters SET value = value + NEW.hits - OLD.hits WHERE name = 'crash_hits'; END;

CREATE TRIGGER count_crash_groups AFTER INSERT ON crash_groups
BEGIN UPDATE counters SET value = value + 1 WHERE name = 'crash_groups'; END;

CREATE TRIGGER recount_crash_groups AFTER UPDATE OF merged_into ON crash_groups
WHEN (NEW.merged_into IS NULL) <> (OLD.merged_into IS NULL)
BEGIN
  UPDATE counters SET value = value + (NEW.merged_into IS NULL) - (OLD.merged_into IS NULL)
    WHERE name = 'crash_groups';
END;
