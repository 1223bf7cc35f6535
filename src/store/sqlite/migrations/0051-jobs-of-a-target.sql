-- Lists of a target's jobs: those that fuzz have an index; these are the few others.
CREATE INDEX jobs_that_work ON jobs (project, target_name, id) WHERE kind <> 'fuzz';
