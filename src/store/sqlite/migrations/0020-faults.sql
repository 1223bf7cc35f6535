-- Queues and campaigns without jobs are deleted; the master starts with those that have work.

-- Deleting a queue makes SQLite look for jobs that refer to it.
CREATE INDEX jobs_by_queue ON jobs (queue_id);
CREATE INDEX queues_with_work ON queues (id) WHERE pending > 0;
-- Campaigns with terms of their own: they are kept without jobs, so there is a most of them.
CREATE INDEX campaigns_with_terms ON campaigns (key) WHERE weight <> 1 OR max_parallel <> 0;

-- A database that is put back begins a new epoch, with fences above all that were given out.
CREATE TABLE epochs (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  number     INTEGER NOT NULL CHECK (number >= 0),
  -- Fences are above it.
  fence_base INTEGER NOT NULL CHECK (fence_base >= 0),
  -- The file beside the database was written once: if it is gone, the database was put back.
  witnessed  INTEGER NOT NULL CHECK (witnessed IN (0, 1)),
  -- A copy of a backup, which no master has opened yet.
  is_copy    INTEGER NOT NULL CHECK (is_copy IN (0, 1))
) STRICT;

INSERT INTO epochs (id, number, fence_base, witnessed, is_copy) VALUES (1, 0, 0, 0, 0);

-- How often the probe was written.
ALTER TABLE vitals ADD COLUMN marks INTEGER NOT NULL DEFAULT 0 CHECK (marks >= 0);

-- Crashes whose inputs are kept, for limits.max_crashes_per_job and max_crash_bytes_per_job.
ALTER TABLE jobs ADD COLUMN crashes_kept INTEGER NOT NULL DEFAULT 0 CHECK (crashes_kept >= 0);
ALTER TABLE jobs ADD COLUMN crash_bytes_kept INTEGER NOT NULL DEFAULT 0
  CHECK (crash_bytes_kept >= 0);
UPDATE jobs SET
  crashes_kept = (SELECT count(*) FROM crashes WHERE job_id = jobs.id),
  crash_bytes_kept = (SELECT coalesce(sum(input_size_bytes), 0) FROM crashes WHERE job_id = jobs.id)
WHERE id IN (SELECT job_id FROM crashes);
CREATE INDEX crashes_by_job_and_group ON crashes (job_id, group_id, id);
