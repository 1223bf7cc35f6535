-- Where the bytes of blobs are, and what refers to them.

-- Files that hold many small blobs, blobs/packs/ID.pack: written at their end only.
CREATE TABLE packs (
  id         INTEGER PRIMARY KEY,
  -- End of the last entry that a row was made for.
  size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
  -- Of entries that blobs names.
  live_bytes INTEGER NOT NULL CHECK (live_bytes >= 0),
  -- Since when blobs names none of its entries; its file goes some time later.
  retired_at INTEGER,
  CHECK (live_bytes <= size_bytes)
) STRICT;

CREATE INDEX packs_mostly_dead ON packs (live_bytes, id)
  WHERE retired_at IS NULL AND size_bytes > live_bytes * 2;
CREATE INDEX packs_retired ON packs (retired_at, id) WHERE retired_at IS NOT NULL;

-- Every blob that a row refers to, or has referred to until lately.
CREATE TABLE blobs (
  sha256       TEXT PRIMARY KEY CHECK (length(sha256) = 64),
  size_bytes   INTEGER NOT NULL CHECK (size_bytes >= 0),
  -- NULL: it has a file of its own.
  pack_id      INTEGER,
  position     INTEGER CHECK (position >= 0),
  -- Rows that refer to it, kept by the triggers below. A table whose rows refer to blobs has
  -- the same two triggers.
  refs         INTEGER NOT NULL CHECK (refs >= 0),
  -- Since when nothing refers to it; 0: the sweep has not seen that yet.
  unused_since INTEGER,
  CHECK ((pack_id IS NULL) = (position IS NULL)),
  CHECK (unused_since IS NULL OR refs = 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX blobs_unused ON blobs (unused_since, sha256) WHERE unused_since IS NOT NULL;

INSERT INTO blobs (sha256, size_bytes, refs)
SELECT sha256, max(size_bytes), count(*) FROM (
  SELECT sha256, size_bytes FROM artifacts
  UNION ALL SELECT sha256, size_bytes FROM corpus_entries
  UNION ALL SELECT input_sha256, input_size_bytes FROM crashes)
GROUP BY sha256;

CREATE TRIGGER use_artifact_blob AFTER INSERT ON artifacts
BEGIN
  INSERT INTO blobs (sha256, size_bytes, refs) VALUES (NEW.sha256, NEW.size_bytes, 1)
  ON CONFLICT (sha256) DO UPDATE SET refs = refs + 1, unused_since = NULL;
END;

CREATE TRIGGER leave_artifact_blob AFTER DELETE ON artifacts
BEGIN
  UPDATE blobs SET refs = refs - 1, unused_since = CASE WHEN refs = 1 THEN 0 END
    WHERE sha256 = OLD.sha256;
END;

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

CREATE TRIGGER use_crash_blob AFTER INSERT ON crashes
BEGIN
  INSERT INTO blobs (sha256, size_bytes, refs) VALUES (NEW.input_sha256, NEW.input_size_bytes, 1)
  ON CONFLICT (sha256) DO UPDATE SET refs = refs + 1, unused_since = NULL;
END;

CREATE TRIGGER leave_crash_blob AFTER DELETE ON crashes
BEGIN
  UPDATE blobs SET refs = refs - 1, unused_since = CASE WHEN refs = 1 THEN 0 END
    WHERE sha256 = OLD.input_sha256;
END;

-- Figures of the disk, without counting.
INSERT INTO counters (name, value) VALUES ('pack_bytes', 0), ('pack_live_bytes', 0);
INSERT INTO counters (name, value)
SELECT 'blob_file_bytes', coalesce(sum(size_bytes), 0) FROM blobs;

CREATE TRIGGER count_blob_file AFTER INSERT ON blobs WHEN NEW.pack_id IS NULL
BEGIN UPDATE counters SET value = value + NEW.size_bytes WHERE name = 'blob_file_bytes'; END;

CREATE TRIGGER recount_blob_file AFTER UPDATE OF pack_id ON blobs
WHEN (OLD.pack_id IS NULL) <> (NEW.pack_id IS NULL)
BEGIN
  UPDATE counters SET value = value
      + CASE WHEN NEW.pack_id IS NULL THEN NEW.size_bytes ELSE - NEW.size_bytes END
    WHERE name = 'blob_file_bytes';
END;

CREATE TRIGGER uncount_blob_file AFTER DELETE ON blobs WHEN OLD.pack_id IS NULL
BEGIN UPDATE counters SET value = value - OLD.size_bytes WHERE name = 'blob_file_bytes'; END;

CREATE TRIGGER count_pack AFTER INSERT ON packs
BEGIN
  UPDATE counters SET value = value + NEW.size_bytes WHERE name = 'pack_bytes';
  UPDATE counters SET value = value + NEW.live_bytes WHERE name = 'pack_live_bytes';
END;

CREATE TRIGGER recount_pack AFTER UPDATE ON packs
BEGIN
  UPDATE counters SET value = value + NEW.size_bytes - OLD.size_bytes WHERE name = 'pack_bytes';
  UPDATE counters SET value = value + NEW.live_bytes - OLD.live_bytes
    WHERE name = 'pack_live_bytes';
END;

CREATE TRIGGER uncount_pack AFTER DELETE ON packs
BEGIN
  UPDATE counters SET value = value - OLD.size_bytes WHERE name = 'pack_bytes';
  UPDATE counters SET value = value - OLD.live_bytes WHERE name = 'pack_live_bytes';
END;

-- Artifacts that nothing needs are deleted some time after their last upload.
ALTER TABLE artifacts ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;
UPDATE artifacts SET used_at = created_at;
CREATE INDEX artifacts_by_use ON artifacts (used_at, sha256);
CREATE INDEX jobs_by_target ON jobs (target_sha256);
CREATE INDEX jobs_by_seeds ON jobs (seeds_sha256) WHERE seeds_sha256 IS NOT NULL;
CREATE INDEX crash_work_by_target ON crash_work (target_sha256) WHERE target_sha256 IS NOT NULL;
