-- Tokens of projects, and the indexes by which lists and look-ups of one project go.

-- Names of projects that a viewer or operator is bound to, as JSON; '[]': all.
ALTER TABLE tokens ADD COLUMN projects TEXT NOT NULL DEFAULT '[]'
  CHECK (json_valid(projects) AND (projects = '[]' OR role IN ('viewer', 'operator')));

CREATE INDEX jobs_of_project ON jobs (project, id);
CREATE INDEX crashes_of_project ON crashes (project, id);
CREATE INDEX crash_decisions_of_project ON crash_decisions (project, id);

-- Whether a project uses an artifact.
DROP INDEX jobs_by_target;
CREATE INDEX jobs_by_target ON jobs (target_sha256, project);
DROP INDEX jobs_by_seeds;
CREATE INDEX jobs_by_seeds ON jobs (seeds_sha256, project) WHERE seeds_sha256 IS NOT NULL;
DROP INDEX jobs_by_dictionary;
CREATE INDEX jobs_by_dictionary ON jobs (dictionary_sha256, project)
  WHERE dictionary_sha256 IS NOT NULL;
