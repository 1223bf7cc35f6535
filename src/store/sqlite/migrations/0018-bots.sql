-- The newest job of a target by an engine: merges take one whose engine can merge.
CREATE INDEX jobs_that_fuzz_by ON jobs (project, target_name, engine, id) WHERE kind = 'fuzz';

-- Runs of the bot are root, as it is: they have no user of their own.
ALTER TABLE bots ADD COLUMN runs_as_root INTEGER NOT NULL DEFAULT 0 CHECK (runs_as_root IN (0, 1));
