-- What artifacts are for. The same bytes may be uploaded as several things, and under several
-- names: the newest counts.
CREATE TABLE artifact_uses (
  sha256   TEXT NOT NULL REFERENCES artifacts (sha256) ON DELETE CASCADE,
  kind     TEXT NOT NULL CHECK (kind IN ('target', 'bundle', 'seeds', 'dictionary')),
  name     TEXT NOT NULL,
  named_at INTEGER NOT NULL,
  PRIMARY KEY (sha256, kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX artifact_uses_by_time ON artifact_uses (sha256, named_at);

INSERT INTO artifact_uses (sha256, kind, name, named_at)
SELECT sha256, kind, name, created_at FROM artifacts;

ALTER TABLE artifacts DROP COLUMN kind;
ALTER TABLE artifacts DROP COLUMN name;

ALTER TABLE jobs ADD COLUMN dictionary_sha256 TEXT REFERENCES artifacts (sha256);
CREATE INDEX jobs_by_dictionary ON jobs (dictionary_sha256) WHERE dictionary_sha256 IS NOT NULL;

-- Targets by name.
CREATE TABLE targets (
  project TEXT NOT NULL,
  name    TEXT NOT NULL,
  builds  INTEGER NOT NULL CHECK (builds >= 0),
  PRIMARY KEY (project, name)
) STRICT, WITHOUT ROWID;

-- Builds of targets, as they were registered or came with a job.
CREATE TABLE builds (
  project           TEXT NOT NULL,
  target_name       TEXT NOT NULL,
  engine            TEXT NOT NULL,
  target_sha256     TEXT NOT NULL REFERENCES artifacts (sha256),
  -- Of a bundle, the path in it; empty: the only one, or no bundle.
  executable        TEXT NOT NULL,
  seeds_sha256      TEXT REFERENCES artifacts (sha256),
  dictionary_sha256 TEXT REFERENCES artifacts (sha256),
  -- Order in which builds became the newest of their target.
  sequence          INTEGER NOT NULL,
  registered_at     INTEGER NOT NULL,
  PRIMARY KEY (project, target_name, engine, target_sha256, executable),
  FOREIGN KEY (project, target_name) REFERENCES targets (project, name)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX builds_by_age ON builds (project, target_name, sequence);
CREATE INDEX builds_by_artifact ON builds (target_sha256);
CREATE INDEX builds_by_seeds ON builds (seeds_sha256) WHERE seeds_sha256 IS NOT NULL;
CREATE INDEX builds_by_dictionary ON builds (dictionary_sha256)
  WHERE dictionary_sha256 IS NOT NULL;

INSERT INTO targets (project, name, builds)
SELECT target_builds.project, target_builds.target_name, count(*)
FROM target_builds JOIN jobs ON jobs.id = first_job_id
GROUP BY target_builds.project, target_builds.target_name;

INSERT INTO builds (project, target_name, engine, target_sha256, executable, seeds_sha256,
  dictionary_sha256, sequence, registered_at)
SELECT target_builds.project, target_builds.target_name, engine, target_builds.target_sha256,
  '', seeds_sha256, NULL,
  row_number() OVER (
    PARTITION BY target_builds.project, target_builds.target_name ORDER BY jobs.id),
  created_at
FROM target_builds JOIN jobs ON jobs.id = first_job_id;
