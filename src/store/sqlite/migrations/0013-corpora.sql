-- Corpora by project and target name, in generations; inputs that are put aside; merges.

ALTER TABLE jobs RENAME COLUMN kind TO kind_before;
ALTER TABLE jobs ADD COLUMN kind TEXT NOT NULL DEFAULT 'fuzz'
  CHECK (kind = 'fuzz' OR kind = 'reproduce' OR kind = 'minimise' OR kind = 'verify'
    OR kind = 'merge');
UPDATE jobs SET kind = kind_before WHERE kind_before <> 'fuzz';
ALTER TABLE jobs DROP COLUMN kind_before;

-- The newest job of a target: with its build and its settings a corpus is merged.
CREATE INDEX jobs_that_fuzz ON jobs (project, target_name, id) WHERE kind = 'fuzz';

CREATE TABLE corpus_before AS SELECT * FROM corpus_entries;
DROP TABLE corpus_entries;
DROP TABLE corpora;

CREATE TABLE corpora (
  id               INTEGER PRIMARY KEY,
  project          TEXT NOT NULL,
  target_name      TEXT NOT NULL,
  -- Its entries are the corpus.
  generation_id    INTEGER NOT NULL,
  -- Rises each time that entries leave.
  revision         INTEGER NOT NULL CHECK (revision > 0),
  -- The last merge job that was made. It may be forgotten before the row.
  merge_job_id     TEXT,
  -- When the next one is to be made; NULL: nothing was added since the last.
  merge_due_at     INTEGER,
  -- With so many entries it is due at once.
  merge_at_entries INTEGER NOT NULL CHECK (merge_at_entries > 0),
  -- The merge that replaced it last.
  last_merge       TEXT CHECK (last_merge IS NULL OR json_type(last_merge) = 'object'),
  UNIQUE (project, target_name)
) STRICT;

CREATE INDEX corpora_to_merge ON corpora (merge_due_at, id) WHERE merge_due_at IS NOT NULL;

-- A merge and a reset begin a new generation: to replace a corpus is to change one number.
CREATE TABLE corpus_generations (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  corpus_id INTEGER NOT NULL,
  -- Of a merge that gathers what it keeps: its lease.
  job_id    TEXT,
  fence     INTEGER,
  -- Its entries are to be deleted.
  ended     INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1)),
  CHECK ((job_id IS NULL) = (fence IS NULL))
) STRICT;

CREATE INDEX corpus_generations_of_merges ON corpus_generations (corpus_id, job_id, fence)
  WHERE job_id IS NOT NULL;
CREATE INDEX corpus_generations_ended ON corpus_generations (id) WHERE ended = 1;

-- Inputs worth keeping; the sequence is the cursor of PullCorpus.
CREATE TABLE corpus_entries (
  sequence      INTEGER PRIMARY KEY AUTOINCREMENT,
  generation_id INTEGER NOT NULL REFERENCES corpus_generations (id),
  sha256        TEXT NOT NULL CHECK (length(sha256) = 64),
  size_bytes    INTEGER NOT NULL CHECK (size_bytes >= 0),
  origin        TEXT NOT NULL CHECK (origin IN ('engine', 'seeds', 'import')),
  -- Of the job that brought it; empty: none did.
  engine        TEXT NOT NULL,
  job_id        TEXT REFERENCES jobs (id) ON DELETE SET NULL,
  added_at      INTEGER NOT NULL,
  UNIQUE (generation_id, sha256)
) STRICT;

CREATE INDEX corpus_entries_in_order ON corpus_entries (generation_id, sequence);
CREATE INDEX corpus_entries_by_job ON corpus_entries (job_id) WHERE job_id IS NOT NULL;

-- How large each generation is, by where its entries came from; kept by the triggers below.
CREATE TABLE corpus_sizes (
  generation_id INTEGER NOT NULL,
  origin        TEXT NOT NULL,
  engine        TEXT NOT NULL,
  entries       INTEGER NOT NULL CHECK (entries >= 0),
  bytes         INTEGER NOT NULL CHECK (bytes >= 0),
  PRIMARY KEY (generation_id, origin, engine)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER count_corpus AFTER INSERT ON corpus_entries
BEGIN
  INSERT INTO corpus_sizes (generation_id, origin, engine, entries, bytes)
  VALUES (NEW.generation_id, NEW.origin, NEW.engine, 1, NEW.size_bytes)
  ON CONFLICT (generation_id, origin, engine) DO UPDATE SET
    entries = entries + 1, bytes = bytes + NEW.size_bytes;
END;

CREATE TRIGGER uncount_corpus AFTER DELETE ON corpus_entries
BEGIN
  UPDATE corpus_sizes SET entries = entries - 1, bytes = bytes - OLD.size_bytes
    WHERE generation_id = OLD.generation_id AND origin = OLD.origin AND engine = OLD.engine;
END;

-- Builds for which inputs are put aside: they crash or hang while they load them.
CREATE TABLE corpus_builds (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  corpus_id     INTEGER NOT NULL,
  target_sha256 TEXT NOT NULL,
  put_aside     INTEGER NOT NULL CHECK (put_aside >= 0),
  last_at       INTEGER NOT NULL,
  -- Its inputs are to be forgotten.
  ended         INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1))
) STRICT;

CREATE UNIQUE INDEX corpus_builds_by_target ON corpus_builds (corpus_id, target_sha256)
  WHERE ended = 0;
CREATE INDEX corpus_builds_in_order ON corpus_builds (corpus_id, id) WHERE ended = 0;
CREATE INDEX corpus_builds_ended ON corpus_builds (id) WHERE ended = 1;

CREATE TABLE corpus_put_aside (
  sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
  build_id   INTEGER NOT NULL REFERENCES corpus_builds (id),
  sha256     TEXT NOT NULL CHECK (length(sha256) = 64),
  size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
  reason     TEXT NOT NULL CHECK (reason IN ('crash', 'slow', 'memory')),
  at         INTEGER NOT NULL,
  UNIQUE (build_id, sha256)
) STRICT;

CREATE INDEX corpus_put_aside_in_order ON corpus_put_aside (build_id, sequence);

-- What there was: earlier versions kept corpora by the name of the target alone.
INSERT INTO corpora (project, target_name, generation_id, revision, merge_at_entries)
SELECT DISTINCT 'default', target_name, 0, 1, 1000 FROM corpus_before;

INSERT INTO corpus_generations (corpus_id) SELECT id FROM corpora;

UPDATE corpora SET generation_id =
  (SELECT corpus_generations.id FROM corpus_generations WHERE corpus_id = corpora.id);

INSERT INTO corpus_entries
  (sequence, generation_id, sha256, size_bytes, origin, engine, job_id, added_at)
SELECT sequence, generation_id, sha256, size_bytes, 'engine', coalesce(jobs.engine, ''),
  job_id, added_at
FROM corpus_before
  JOIN corpora ON corpora.target_name = corpus_before.target_name
  LEFT JOIN jobs ON jobs.id = corpus_before.job_id
ORDER BY sequence;

DROP TABLE corpus_before;

-- Blobs count what refers to them (0012-packs.sql): made after the rows, which are counted.
CREATE TRIGGER use_corpus_blob AFTER INSERT ON corpus_entries
BEGIN
  INSERT INTO blobs (sha256, size_bytes, refs) VALUES (NEW.sha256, NEW.size_bytes, 1)
  ON CONFLICT (sha256) DO UPDATE SET refs = refs + 1, unused_since = NULL;
END;

CREATE TRIGGER leave_corpus_blob AFTER DELETE ON corpus_entries
BEGIN
  UPDATE blobs SET refs = refs - 1, unused_since = CASE WHEN refs = 1 THEN 0 END
    WHERE sha256 = OLD.sha256;
END;
