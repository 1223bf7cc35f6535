-- Campaigns that make their runs by themselves.

CREATE TABLE fuzz_campaigns (
  id            TEXT PRIMARY KEY,
  request_id    TEXT UNIQUE,
  project       TEXT NOT NULL,
  name          TEXT NOT NULL,
  -- Of its share of the fleet: campaigns.key, and jobs.campaign of its runs.
  key           TEXT NOT NULL,
  target_name   TEXT NOT NULL,
  state         TEXT NOT NULL
                CHECK (state = 'active' OR state = 'paused' OR state = 'ended'
                  OR state = 'archived'),
  state_reason  TEXT NOT NULL,
  state_since   INTEGER NOT NULL,
  created_at    INTEGER NOT NULL,
  -- Rises with each change of the spec.
  revision      INTEGER NOT NULL CHECK (revision > 0),
  -- CampaignSpec as protobuf JSON; weight and limit are those of campaigns.
  spec          TEXT NOT NULL CHECK (json_type(spec) = 'object'),
  -- When time alone changes what it does: it begins, or ends.
  due_at        INTEGER,
  -- Its runs under way are to be stopped.
  stopping      INTEGER NOT NULL DEFAULT 0 CHECK (stopping IN (0, 1)),
  -- Runs that have ended, and milliseconds that they held a slot; as billed, each at least a
  -- minute.
  runs          INTEGER NOT NULL DEFAULT 0 CHECK (runs >= 0),
  finding_runs  INTEGER NOT NULL DEFAULT 0 CHECK (finding_runs >= 0),
  cpu_ms        INTEGER NOT NULL DEFAULT 0 CHECK (cpu_ms >= 0),
  billed_ms     INTEGER NOT NULL DEFAULT 0 CHECK (billed_ms >= 0),
  crash_groups  INTEGER NOT NULL DEFAULT 0 CHECK (crash_groups >= 0),
  last_find_at  INTEGER,
  -- billed_ms at the last find, or when it was resumed.
  quiet_from_ms INTEGER NOT NULL DEFAULT 0 CHECK (quiet_from_ms >= 0)
) STRICT;

CREATE UNIQUE INDEX fuzz_campaigns_by_name ON fuzz_campaigns (name, project)
  WHERE state <> 'archived';
CREATE UNIQUE INDEX fuzz_campaigns_by_key ON fuzz_campaigns (key) WHERE state <> 'archived';
CREATE INDEX fuzz_campaigns_ever ON fuzz_campaigns (name, id);
CREATE INDEX fuzz_campaigns_live ON fuzz_campaigns (id) WHERE state <> 'archived';
CREATE INDEX fuzz_campaigns_live_of ON fuzz_campaigns (project, id) WHERE state <> 'archived';
CREATE INDEX fuzz_campaigns_of ON fuzz_campaigns (project, id);
CREATE INDEX fuzz_campaigns_active ON fuzz_campaigns (id) WHERE state = 'active';
CREATE INDEX fuzz_campaigns_due ON fuzz_campaigns (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX fuzz_campaigns_stopping ON fuzz_campaigns (id) WHERE stopping = 1;
CREATE INDEX fuzz_campaigns_archived ON fuzz_campaigns (state_since, id) WHERE state = 'archived';

-- The builds of a campaign by name, with what their runs did.
CREATE TABLE campaign_arms (
  campaign_id  TEXT NOT NULL REFERENCES fuzz_campaigns (id),
  build        TEXT NOT NULL,
  -- Its place in the spec; NULL: the spec has it no more.
  position     INTEGER,
  -- Of its runs; NULL: it makes none any more.
  queue_id     INTEGER,
  -- Since when it runs its artifact.
  since        INTEGER NOT NULL,
  runs         INTEGER NOT NULL DEFAULT 0 CHECK (runs >= 0),
  finding_runs INTEGER NOT NULL DEFAULT 0 CHECK (finding_runs >= 0),
  cpu_ms       INTEGER NOT NULL DEFAULT 0 CHECK (cpu_ms >= 0),
  crash_groups INTEGER NOT NULL DEFAULT 0 CHECK (crash_groups >= 0),
  PRIMARY KEY (campaign_id, build)
) STRICT, WITHOUT ROWID;

CREATE INDEX campaign_arms_by_queue ON campaign_arms (queue_id) WHERE queue_id IS NOT NULL;

-- What each build was and is.
CREATE TABLE campaign_builds (
  campaign_id       TEXT NOT NULL REFERENCES fuzz_campaigns (id),
  build             TEXT NOT NULL,
  -- Of the campaign, when it came.
  revision          INTEGER NOT NULL,
  target_sha256     TEXT NOT NULL REFERENCES artifacts (sha256),
  seeds_sha256      TEXT REFERENCES artifacts (sha256),
  dictionary_sha256 TEXT REFERENCES artifacts (sha256),
  -- CampaignBuild as protobuf JSON.
  spec              TEXT NOT NULL CHECK (json_type(spec) = 'object'),
  since             INTEGER NOT NULL,
  -- NULL: it is the present one.
  until             INTEGER,
  PRIMARY KEY (campaign_id, build, revision)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX campaign_builds_present ON campaign_builds (campaign_id, build)
  WHERE until IS NULL;
CREATE INDEX campaign_builds_earlier ON campaign_builds (campaign_id, until, build)
  WHERE until IS NOT NULL;
CREATE INDEX campaign_builds_by_artifact ON campaign_builds (target_sha256);
CREATE INDEX campaign_builds_by_seeds ON campaign_builds (seeds_sha256)
  WHERE seeds_sha256 IS NOT NULL;
CREATE INDEX campaign_builds_by_dictionary ON campaign_builds (dictionary_sha256)
  WHERE dictionary_sha256 IS NOT NULL;

-- Jobs that a campaign made; a row goes with its job.
CREATE TABLE campaign_runs (
  job_id      TEXT PRIMARY KEY,
  campaign_id TEXT NOT NULL,
  build       TEXT NOT NULL,
  -- Fuzzing that was planned for it.
  planned_ms  INTEGER NOT NULL CHECK (planned_ms > 0),
  -- It has ended, and is counted.
  settled     INTEGER NOT NULL DEFAULT 0 CHECK (settled IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX campaign_runs_of ON campaign_runs (campaign_id, job_id);
CREATE INDEX campaign_runs_open ON campaign_runs (job_id) WHERE settled = 0;
CREATE INDEX campaign_runs_open_of ON campaign_runs (campaign_id, job_id) WHERE settled = 0;

-- What happened to a campaign: the newest 1000 entries.
CREATE TABLE campaign_history (
  campaign_id TEXT NOT NULL REFERENCES fuzz_campaigns (id),
  sequence    INTEGER NOT NULL,
  time        INTEGER NOT NULL,
  kind        TEXT NOT NULL,
  text        TEXT NOT NULL,
  PRIMARY KEY (campaign_id, sequence)
) STRICT, WITHOUT ROWID;
