-- Queues and campaigns without jobs are deleted; the master starts with those that have work.

-- Deleting a queue makes SQLite look for jobs that refer to it.
CREATE INDEX jobs_by_queue ON jobs (queue_id);
CREATE INDEX queues_with_work ON queues (id) WHERE pending > 0;
-- Campaigns with terms of their own: they are kept without jobs, so there is a most of them.
CREATE INDEX campaigns_with_terms ON campaigns (key) WHERE weight <> 1 OR max_parallel <> 0;
