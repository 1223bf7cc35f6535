-- Bots by their identity, rows of bots that are gone, and logs of failed attempts.

-- What the bot keeps in its work folder; NULL: it is who its name says.
ALTER TABLE bots ADD COLUMN identity TEXT;
-- The name it asked for, where a live bot had that one.
ALTER TABLE bots ADD COLUMN wanted_name TEXT NOT NULL DEFAULT '';

CREATE UNIQUE INDEX bots_by_identity ON bots (identity)
  WHERE identity IS NOT NULL AND forgotten_at IS NULL;

-- Bots that do not come back are forgotten, and their rows deleted once nothing names them.
CREATE INDEX bots_unseen ON bots (last_seen_at, id) WHERE forgotten_at IS NULL;
CREATE INDEX bots_forgotten ON bots (id) WHERE forgotten_at IS NOT NULL;
CREATE INDEX jobs_by_bot ON jobs (bot_id) WHERE bot_id IS NOT NULL;
CREATE INDEX attempts_by_bot ON attempts (bot_id);
CREATE INDEX crashes_by_bot ON crashes (bot_id);
CREATE INDEX reproductions_by_bot ON reproductions (bot_id);

-- The last of what the engines of failed attempts printed, of a bounded number of jobs.
CREATE TABLE job_logs (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id   TEXT NOT NULL UNIQUE,
  fence    INTEGER NOT NULL,
  -- Base64: it may be any bytes.
  log      TEXT NOT NULL
) STRICT;
