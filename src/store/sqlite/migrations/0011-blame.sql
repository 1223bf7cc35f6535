-- Whose trouble it was that a run did not start, and figures of a job over its attempts.

-- Sum of the attempts before the current one; `statistics` are of the current or the last.
ALTER TABLE jobs ADD COLUMN earlier_statistics TEXT
  CHECK (earlier_statistics IS NULL OR json_valid(earlier_statistics));
-- When a bot reported `statistics`.
ALTER TABLE jobs ADD COLUMN statistics_at INTEGER;
-- JobLimits.max_duration_seconds of a job that fuzzes.
ALTER TABLE jobs ADD COLUMN fuzz_within_ms INTEGER;
-- Fuzzing that counts against it, since the job was made or revived.
ALTER TABLE jobs ADD COLUMN spent_ms INTEGER NOT NULL DEFAULT 0 CHECK (spent_ms >= 0);
-- The last result is certain: no other attempt can do better.
ALTER TABLE jobs ADD COLUMN final INTEGER NOT NULL DEFAULT 0 CHECK (final IN (0, 1));

ALTER TABLE attempts ADD COLUMN trouble TEXT
  CHECK (trouble IS NULL OR trouble = 'machine' OR trouble = 'missing');
ALTER TABLE attempts ADD COLUMN cause TEXT;
ALTER TABLE attempts ADD COLUMN final INTEGER NOT NULL DEFAULT 0 CHECK (final IN (0, 1));

-- Starts that failed in a row, and until when the bot is given nothing for that.
ALTER TABLE bots ADD COLUMN failed_starts INTEGER NOT NULL DEFAULT 0 CHECK (failed_starts >= 0);
ALTER TABLE bots ADD COLUMN held_until INTEGER;
ALTER TABLE bots ADD COLUMN held_why TEXT NOT NULL DEFAULT '';
CREATE INDEX bots_with_failed_starts ON bots (id) WHERE failed_starts > 0;

-- Jobs that a bot could not start: others are to take them.
CREATE TABLE avoided (
  -- Without a reference: a bot may be deleted before the job has ended.
  bot_id   TEXT NOT NULL,
  job_id   TEXT NOT NULL REFERENCES jobs (id),
  -- Starts of the job that failed on the bot.
  tries    INTEGER NOT NULL CHECK (tries > 0),
  -- The bot is not given the job; 0: it may try again.
  active   INTEGER NOT NULL CHECK (active IN (0, 1)),
  -- When it is looked at whether no other bot can take the job.
  until_at INTEGER NOT NULL,
  -- Reason of the last one.
  message  TEXT NOT NULL,
  PRIMARY KEY (bot_id, job_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX avoided_by_job ON avoided (job_id);
CREATE INDEX avoided_due ON avoided (until_at) WHERE active = 1;
