-- The schema for PostgreSQL 15 and newer: the tables of sqlite/migrations/, for the same
-- statements. What differs, and why:
--
-- * Ids are text, not uuid. Statements compare ids with cursors that are no UUIDs ('' is
--   before all), and events.subject holds ids, names and hashes alike. Collation "C" sorts
--   by bytes, as SQLite does: pages and claims have one order on both engines.
-- * Rows that are inserted and deleted all the time refer to other tables without foreign
--   keys: each would be a look-up and a lock a row. SQLite checks them, and the tests run
--   there.
-- * Counts are kept by statement, not by row, and in a row for each shard: a master writes
--   to its own, so that no two masters wait for one row. Readers add the shards up.
-- * Tables whose rows change often leave room in their pages (fillfactor), so that an
--   update stays in its page, and are vacuumed early and without pauses.

-- What these tables are: written as they are made, and compared at each start (migrate.ts).
CREATE TABLE schema_version (
  id          integer PRIMARY KEY CHECK (id = 1),
  version     integer NOT NULL,
  -- SHA-256 of this file: of one version there is one text.
  fingerprint text NOT NULL,
  -- Names the database in the folders of its blobs.
  database_id text NOT NULL DEFAULT gen_random_uuid()
);

-- Which master a transaction is of: set in each of a clustered master; 0: the only one.
CREATE FUNCTION master() RETURNS bigint LANGUAGE sql STABLE AS
  $$ SELECT CAST(coalesce(nullif(current_setting('pandafuzz.master', true), ''), '0') AS bigint) $$;

-- The masters that share the database (cluster/). An id is new with each start, and when a
-- master comes back that was declared dead: it never names another.
CREATE TABLE masters (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Where bots and operators reach it.
  address      text NOT NULL UNIQUE,
  -- Its rows of counters; one that is gone leaves it to the next.
  shard        integer NOT NULL UNIQUE CHECK (shard > 0),
  version      text NOT NULL,
  pid          integer NOT NULL,
  host         text NOT NULL,
  -- By the clock of the database's server.
  started_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Figures of its bots, at seen_at.
  bots_online  integer NOT NULL DEFAULT 0,
  free_slots   integer NOT NULL DEFAULT 0,
  executions_per_second double precision NOT NULL DEFAULT 0
);

-- What one master tells the others: a hint to look at a row. Kept for minutes.
CREATE TABLE signals (
  sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind     text NOT NULL,
  subject  text NOT NULL,
  -- Who changed it.
  master   bigint NOT NULL DEFAULT master(),
  at       timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Tells of a row: its kind, and the column that names the row.
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO signals (kind, subject)
  VALUES (TG_ARGV[0],
    coalesce(to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END) ->> TG_ARGV[1], ''));
  RETURN NULL;
END $$;

-- The master that has the database, beside the advisory lock that it holds (owner.ts).
CREATE TABLE owner (
  id       integer PRIMARY KEY CHECK (id = 1),
  -- New with each start.
  instance text NOT NULL,
  pid      integer NOT NULL,
  host     text NOT NULL,
  since    text NOT NULL
);

CREATE TABLE bots (
  id                    text COLLATE "C" PRIMARY KEY,
  name                  text NOT NULL,
  engines               text NOT NULL CHECK (json_typeof(CAST(engines AS json)) = 'array'),
  slots                 integer NOT NULL CHECK (slots > 0),
  labels                text NOT NULL CHECK (json_typeof(CAST(labels AS json)) = 'object'),
  memory_mib            bigint NOT NULL CHECK (memory_mib >= 0),
  disk_mib              bigint NOT NULL CHECK (disk_mib >= 0),
  version               text NOT NULL,
  registered_at         bigint NOT NULL,
  last_seen_at          bigint NOT NULL,
  drain_requested_at    bigint,
  drain_acknowledged_at bigint,
  drained_at            bigint,
  forgotten_at          bigint,
  engine_details        text NOT NULL DEFAULT '[]'
                        CHECK (json_typeof(CAST(engine_details AS json)) = 'array'),
  isolation             integer NOT NULL DEFAULT 0 CHECK (isolation BETWEEN 0 AND 4),
  isolation_gaps        text NOT NULL DEFAULT '[]'
                        CHECK (json_typeof(CAST(isolation_gaps AS json)) = 'array'),
  -- Its runs are root, as it is.
  runs_as_root          smallint NOT NULL DEFAULT 0 CHECK (runs_as_root IN (0, 1)),
  failed_starts         integer NOT NULL DEFAULT 0 CHECK (failed_starts >= 0),
  held_until            bigint,
  held_why              text NOT NULL DEFAULT '',
  identity              text,
  wanted_name           text NOT NULL DEFAULT '',
  -- Since when it is missed; NULL: it is not.
  lost_at               bigint,
  -- Of masters that share the database: the one that has its stream, the process behind
  -- that, and the number that the process gave the stream.
  master                bigint,
  instance              text,
  stream                bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE UNIQUE INDEX bots_by_name ON bots (name) WHERE forgotten_at IS NULL;
CREATE INDEX bots_known ON bots (id) WHERE forgotten_at IS NULL;
CREATE INDEX bots_with_failed_starts ON bots (id) WHERE failed_starts > 0;
CREATE UNIQUE INDEX bots_by_identity ON bots (identity)
  WHERE identity IS NOT NULL AND forgotten_at IS NULL;
CREATE INDEX bots_unseen ON bots (last_seen_at, id) WHERE forgotten_at IS NULL;
CREATE INDEX bots_forgotten ON bots (id) WHERE forgotten_at IS NOT NULL;

CREATE TABLE artifacts (
  sha256     text COLLATE "C" PRIMARY KEY CHECK (length(sha256) = 64),
  size_bytes bigint NOT NULL CHECK (size_bytes > 0),
  created_at bigint NOT NULL,
  used_at    bigint NOT NULL DEFAULT 0
);

CREATE TABLE artifact_uses (
  sha256   text COLLATE "C" NOT NULL REFERENCES artifacts (sha256) ON DELETE CASCADE,
  kind     text NOT NULL CHECK (kind IN ('target', 'bundle', 'seeds', 'dictionary')),
  name     text NOT NULL,
  named_at bigint NOT NULL,
  PRIMARY KEY (sha256, kind)
);

CREATE INDEX artifact_uses_by_time ON artifact_uses (sha256, named_at);
CREATE INDEX artifacts_by_use ON artifacts (used_at, sha256);

CREATE TABLE packs (
  id         bigint PRIMARY KEY,
  size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
  live_bytes bigint NOT NULL CHECK (live_bytes >= 0),
  retired_at bigint,
  CHECK (live_bytes <= size_bytes)
);

CREATE INDEX packs_mostly_dead ON packs (live_bytes, id)
  WHERE retired_at IS NULL AND size_bytes > live_bytes * 2;
CREATE INDEX packs_retired ON packs (retired_at, id) WHERE retired_at IS NOT NULL;

CREATE TABLE blobs (
  sha256       text COLLATE "C" PRIMARY KEY CHECK (length(sha256) = 64),
  size_bytes   bigint NOT NULL CHECK (size_bytes >= 0),
  pack_id      bigint,
  position     bigint CHECK (position >= 0),
  refs         bigint NOT NULL CHECK (refs >= 0),
  unused_since bigint,
  CHECK ((pack_id IS NULL) = (position IS NULL)),
  CHECK (unused_since IS NULL OR refs = 0)
);

CREATE INDEX blobs_unused ON blobs (unused_since, sha256) WHERE unused_since IS NOT NULL;

CREATE TABLE blob_place (
  id   integer PRIMARY KEY CHECK (id = 1),
  name text NOT NULL CHECK (name <> ''),
  url  text NOT NULL CHECK (url <> '')
);

CREATE TABLE campaigns (
  key          text COLLATE "C" PRIMARY KEY,
  weight       integer NOT NULL CHECK (weight > 0),
  max_parallel integer NOT NULL CHECK (max_parallel >= 0)
);

CREATE INDEX campaigns_with_terms ON campaigns (key) WHERE weight <> 1 OR max_parallel <> 0;

CREATE TABLE queue_definitions (
  id                integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  campaign          text COLLATE "C" NOT NULL,
  engine            text NOT NULL,
  labels            text NOT NULL CHECK (json_typeof(CAST(labels AS json)) = 'object'),
  memory_mib        bigint NOT NULL CHECK (memory_mib >= 0),
  disk_mib          bigint NOT NULL CHECK (disk_mib >= 0),
  other_than_bot_id text COLLATE "C" NOT NULL DEFAULT '',
  UNIQUE (campaign, engine, labels, memory_mib, disk_mib, other_than_bot_id)
);

CREATE TABLE queue_counters (
  queue_id integer NOT NULL REFERENCES queue_definitions (id) ON DELETE CASCADE,
  shard    integer NOT NULL,
  pending  bigint NOT NULL,
  PRIMARY KEY (queue_id, shard)
) WITH (fillfactor = 20);

-- What statements know as queues: PostgreSQL takes rows for it and puts them into the table.
CREATE VIEW queues AS
SELECT id, campaign, engine, labels, memory_mib, disk_mib, other_than_bot_id,
  (SELECT CAST(coalesce(sum(pending), 0) AS bigint) FROM queue_counters
    WHERE queue_id = queue_definitions.id) AS pending
FROM queue_definitions;

CREATE TABLE jobs (
  id                     text COLLATE "C" PRIMARY KEY,
  request_id             text COLLATE "C" UNIQUE,
  state                  text NOT NULL CHECK (state IN
                         ('pending', 'assigned', 'running', 'completed', 'cancelled', 'dead',
                          'paused')),
  queue_id               integer NOT NULL,
  project                text COLLATE "C" NOT NULL DEFAULT 'default',
  kind                   text NOT NULL DEFAULT 'fuzz'
                         CHECK (kind IN ('fuzz', 'reproduce', 'minimise', 'verify', 'merge',
                                          'coverage')),
  campaign               text COLLATE "C" NOT NULL,
  engine                 text NOT NULL,
  priority               integer NOT NULL,
  target_sha256          text COLLATE "C" NOT NULL,
  seeds_sha256           text COLLATE "C",
  dictionary_sha256      text COLLATE "C",
  target_name            text NOT NULL,
  max_attempts           integer NOT NULL CHECK (max_attempts > 0),
  attempt                integer NOT NULL DEFAULT 0,
  failed_attempts        integer NOT NULL DEFAULT 0,
  refused_attempts       integer NOT NULL DEFAULT 0,
  lost_attempts          integer NOT NULL DEFAULT 0,
  fence                  bigint NOT NULL DEFAULT 0,
  bot_id                 text COLLATE "C",
  created_at             bigint NOT NULL,
  started_at             bigint,
  finished_at            bigint,
  cancel_requested_at    bigint,
  cancel_acknowledged_at bigint,
  pause_requested_at     bigint,
  timed_out_at           bigint,
  delayed                integer NOT NULL DEFAULT 0 CHECK (delayed IN (0, 1)),
  ready_at               bigint,
  start_within_ms        bigint,
  start_by               bigint,
  run_within_ms          bigint,
  close_within_ms        bigint,
  close_by               bigint,
  due_at                 bigint,
  outcome                text,
  message                text,
  statistics             text CHECK (CAST(statistics AS json) IS NOT NULL OR statistics IS NULL),
  -- Sum of the attempts before the current one; statistics are of the current or the last.
  earlier_statistics     text CHECK (CAST(earlier_statistics AS json) IS NOT NULL
                           OR earlier_statistics IS NULL),
  statistics_at          bigint,
  -- JobLimits.max_duration_seconds of a job that fuzzes.
  fuzz_within_ms         bigint,
  -- Fuzzing that counts against it, since the job was made or revived.
  spent_ms               bigint NOT NULL DEFAULT 0 CHECK (spent_ms >= 0),
  -- The last result is certain: no other attempt can do better.
  final                  integer NOT NULL DEFAULT 0 CHECK (final IN (0, 1)),
  crashes_kept           bigint NOT NULL DEFAULT 0 CHECK (crashes_kept >= 0),
  crash_bytes_kept       bigint NOT NULL DEFAULT 0 CHECK (crash_bytes_kept >= 0),
  spec                   text NOT NULL CHECK (json_typeof(CAST(spec AS json)) = 'object'),
  CHECK ((finished_at IS NOT NULL) = (state IN ('completed', 'cancelled', 'dead'))),
  CHECK (failed_attempts + refused_attempts BETWEEN 0 AND max_attempts),
  CHECK (delayed = 0 OR (state = 'pending' AND ready_at IS NOT NULL))
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX jobs_pending ON jobs (queue_id, priority DESC, id)
  WHERE state = 'pending' AND delayed = 0;
CREATE INDEX jobs_by_queue ON jobs (queue_id);
CREATE INDEX jobs_delayed ON jobs (ready_at, id) WHERE delayed = 1;
CREATE INDEX jobs_by_target ON jobs (target_sha256, project);
CREATE INDEX jobs_by_seeds ON jobs (seeds_sha256, project) WHERE seeds_sha256 IS NOT NULL;
CREATE INDEX jobs_by_dictionary ON jobs (dictionary_sha256, project)
  WHERE dictionary_sha256 IS NOT NULL;
CREATE INDEX jobs_of_project ON jobs (project, id);
CREATE INDEX jobs_due ON jobs (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX jobs_by_bot ON jobs (bot_id) WHERE bot_id IS NOT NULL;
CREATE INDEX jobs_finished ON jobs (finished_at, id) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_that_fuzz ON jobs (project, target_name, id) WHERE kind = 'fuzz';
CREATE INDEX jobs_that_fuzz_by ON jobs (project, target_name, engine, id) WHERE kind = 'fuzz';
CREATE INDEX jobs_that_work ON jobs (project, target_name, id) WHERE kind <> 'fuzz';

-- Lists by state. An index over all states moves an entry with each change of a job, a
-- fifth of the whole: so only the states that few jobs are in have one, and the lists of
-- ended jobs go back from the newest id.
CREATE INDEX jobs_pending_by_id ON jobs (id) WHERE state = 'pending';
CREATE INDEX jobs_assigned_by_id ON jobs (id) WHERE state = 'assigned';
CREATE INDEX jobs_running_by_id ON jobs (id) WHERE state = 'running';
CREATE INDEX jobs_paused_by_id ON jobs (id) WHERE state = 'paused';

CREATE TABLE leases (
  job_id          text COLLATE "C" PRIMARY KEY,
  attempt         integer NOT NULL,
  fence           bigint NOT NULL,
  bot_id          text COLLATE "C" NOT NULL,
  ttl_ms          bigint NOT NULL CHECK (ttl_ms > 0),
  pulled          integer NOT NULL CHECK (pulled IN (0, 1)),
  assigned_at     bigint NOT NULL,
  acknowledged_at bigint,
  -- Who watches its end.
  master          bigint NOT NULL DEFAULT master()
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX leases_by_bot ON leases (bot_id);

CREATE TABLE attempts (
  job_id          text COLLATE "C" NOT NULL,
  fence           bigint NOT NULL,
  attempt         integer NOT NULL,
  bot_id          text COLLATE "C" NOT NULL,
  assigned_at     bigint NOT NULL,
  acknowledged_at bigint,
  ended_at        bigint,
  outcome         text,
  message         text,
  statistics      text CHECK (CAST(statistics AS json) IS NOT NULL OR statistics IS NULL),
  state_after     text,
  trouble         text CHECK (trouble IN ('machine', 'missing')),
  cause           text,
  final           integer NOT NULL DEFAULT 0 CHECK (final IN (0, 1)),
  PRIMARY KEY (job_id, fence),
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- Jobs that a bot could not start: others are to take them.
CREATE TABLE avoided (
  bot_id   text COLLATE "C" NOT NULL,
  job_id   text COLLATE "C" NOT NULL,
  -- Starts of the job that failed on the bot.
  tries    integer NOT NULL CHECK (tries > 0),
  -- The bot is not given the job; 0: it may try again.
  active   integer NOT NULL CHECK (active IN (0, 1)),
  -- When it is looked at whether no other bot can take the job.
  until_at bigint NOT NULL,
  -- Reason of the last one.
  message  text NOT NULL,
  PRIMARY KEY (bot_id, job_id)
);

CREATE INDEX avoided_by_job ON avoided (job_id);
CREATE INDEX avoided_due ON avoided (until_at) WHERE active = 1;

CREATE INDEX attempts_by_bot ON attempts (bot_id);

-- The last of what the engines of failed attempts printed, of a bounded number of jobs.
CREATE TABLE job_logs (
  sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id   text COLLATE "C" NOT NULL UNIQUE,
  fence    bigint NOT NULL,
  log      text NOT NULL
);

-- A group that was merged away keeps its row, for those who have its id: without crashes.
CREATE TABLE crash_groups (
  id                  text COLLATE "C" PRIMARY KEY,
  project             text COLLATE "C" NOT NULL,
  target_name         text COLLATE "C" NOT NULL,
  -- As in its oldest crash.
  kind                text NOT NULL,
  message             text NOT NULL,
  top_frame           text NOT NULL,
  security            integer NOT NULL CHECK (security IN (0, 1)),
  -- Inputs that are kept.
  count               integer NOT NULL CHECK (count >= 0),
  -- Times it was met.
  hits                bigint NOT NULL CHECK (hits >= count),
  -- How many of group_sources, by kind.
  jobs                integer NOT NULL CHECK (jobs >= 0),
  bots                integer NOT NULL CHECK (bots >= 0),
  builds              integer NOT NULL CHECK (builds >= 0),
  first_found_at      bigint NOT NULL,
  last_found_at       bigint NOT NULL,
  first_crash_id      text COLLATE "C" NOT NULL,
  reproducer_crash_id text COLLATE "C" NOT NULL,
  status              text NOT NULL
                      CHECK (status IN ('new', 'confirmed', 'fixed', 'wont_fix', 'ignored')),
  note                text NOT NULL,
  status_set_by       text NOT NULL,
  status_set_at       bigint,
  fixed_in_sha256     text COLLATE "C",
  -- Builds uploaded since bring a fixed group back; NULL: jobs made since status_set_at do.
  reopens_from        bigint,
  reopened_at         bigint,
  merged_into         text COLLATE "C" REFERENCES crash_groups (id),
  frames              text NOT NULL CHECK (json_typeof(CAST(frames AS json)) = 'array'),
  CHECK (status = 'fixed' OR (fixed_in_sha256 IS NULL AND reopens_from IS NULL)),
  CHECK (merged_into IS NULL OR (merged_into <> id AND count = 0))
);

CREATE INDEX crash_groups_by_target ON crash_groups (project, target_name, id)
  WHERE merged_into IS NULL;
CREATE INDEX crash_groups_by_project ON crash_groups (project, id) WHERE merged_into IS NULL;
CREATE INDEX crash_groups_by_target_name ON crash_groups (target_name, id)
  WHERE merged_into IS NULL;
CREATE INDEX crash_groups_by_status ON crash_groups (status, id) WHERE merged_into IS NULL;
CREATE INDEX crash_groups_live ON crash_groups (id) WHERE merged_into IS NULL;
CREATE INDEX crash_groups_by_frame ON crash_groups (project, target_name, top_frame, id)
  WHERE merged_into IS NULL;
CREATE INDEX crash_groups_by_message ON crash_groups (project, target_name, message, id)
  WHERE merged_into IS NULL;
CREATE INDEX crash_groups_merged ON crash_groups (merged_into, id) WHERE merged_into IS NOT NULL;

CREATE TABLE crashes (
  id                text COLLATE "C" PRIMARY KEY,
  group_id          text COLLATE "C" NOT NULL REFERENCES crash_groups (id),
  job_id            text COLLATE "C" NOT NULL REFERENCES jobs (id),
  attempt           integer NOT NULL,
  bot_id            text COLLATE "C" NOT NULL REFERENCES bots (id),
  project           text COLLATE "C" NOT NULL,
  target_name       text COLLATE "C" NOT NULL,
  target_sha256     text COLLATE "C" NOT NULL,
  kind              text NOT NULL,
  message           text NOT NULL,
  top_frame         text NOT NULL,
  access            text NOT NULL CHECK (access IN ('', 'read', 'write')),
  access_size_bytes bigint NOT NULL CHECK (access_size_bytes >= 0),
  address           text NOT NULL CHECK (address IN ('', 'near-null', 'wild')),
  security          integer NOT NULL CHECK (security IN (0, 1)),
  security_why      text NOT NULL,
  language          text NOT NULL,
  -- By which version of the reader; 0: it has to be grouped again.
  signature_version integer NOT NULL CHECK (signature_version >= 0),
  signature         text COLLATE "C" NOT NULL,
  -- Empty for a report that could not be read.
  distinction       text COLLATE "C" NOT NULL,
  input_sha256      text COLLATE "C" NOT NULL CHECK (length(input_sha256) = 64),
  input_size_bytes  bigint NOT NULL CHECK (input_size_bytes >= 0),
  found_at          bigint NOT NULL,
  last_met_at       bigint NOT NULL CHECK (last_met_at >= found_at),
  hits              bigint NOT NULL CHECK (hits > 0),
  late              integer NOT NULL CHECK (late IN (0, 1)),
  -- When it was run again last: 0 it crashed into its group, 2 it did not; 1: never run.
  reproduced_rank   integer NOT NULL DEFAULT 1 CHECK (reproduced_rank IN (0, 1, 2)),
  minimised_from    text COLLATE "C",
  -- The long ones last: what lists read lies before them.
  frames            text NOT NULL CHECK (json_typeof(CAST(frames AS json)) = 'array'),
  stack             text NOT NULL CHECK (json_typeof(CAST(stack AS json)) = 'array'),
  context           text CHECK (context IS NULL OR json_typeof(CAST(context AS json)) = 'object'),
  report            text NOT NULL,
  UNIQUE (job_id, input_sha256)
);

CREATE INDEX crashes_by_bot ON crashes (bot_id);
CREATE INDEX crashes_by_group ON crashes (group_id, id);
CREATE INDEX crashes_by_job_and_group ON crashes (job_id, group_id, id);
CREATE INDEX crashes_by_job ON crashes (job_id, id);
CREATE INDEX crashes_by_target ON crashes (project, target_name, id);
CREATE INDEX crashes_of_project ON crashes (project, id);
CREATE INDEX crashes_by_version ON crashes (signature_version, id);
CREATE INDEX crashes_to_begin_with ON crashes (group_id, reproduced_rank, input_size_bytes, id);

-- Which group the crashes of a signature go to; a merge gives a group more than one. A row
-- is made just before its group.
CREATE TABLE crash_signatures (
  project     text COLLATE "C" NOT NULL,
  target_name text COLLATE "C" NOT NULL,
  signature   text COLLATE "C" NOT NULL,
  group_id    text COLLATE "C" NOT NULL,
  PRIMARY KEY (project, target_name, signature)
);

CREATE INDEX crash_signatures_by_group ON crash_signatures (group_id);

-- Merges and splits.
CREATE TABLE crash_decisions (
  id          text COLLATE "C" PRIMARY KEY,
  kind        text NOT NULL CHECK (kind IN ('merge', 'split')),
  project     text COLLATE "C" NOT NULL,
  target_name text COLLATE "C" NOT NULL,
  group_id    text COLLATE "C" NOT NULL REFERENCES crash_groups (id),
  to_group_id text COLLATE "C" NOT NULL REFERENCES crash_groups (id),
  crashes     integer NOT NULL CHECK (crashes >= 0),
  decided_by  text NOT NULL,
  decided_at  bigint NOT NULL,
  undone_by   text,
  undone_at   bigint
);

CREATE INDEX crash_decisions_by_target ON crash_decisions (project, target_name, id);
CREATE INDEX crash_decisions_of_project ON crash_decisions (project, id);
CREATE INDEX crash_decisions_from ON crash_decisions (group_id, id);
CREATE INDEX crash_decisions_to ON crash_decisions (to_group_id, id);

-- What a decision is about, by crashes: these mean the same to every version of the reader.
CREATE TABLE crash_decision_anchors (
  decision_id text COLLATE "C" NOT NULL REFERENCES crash_decisions (id),
  crash_id    text COLLATE "C" NOT NULL REFERENCES crashes (id),
  -- It went; 0: it stands for the group that others came to.
  moved       integer NOT NULL CHECK (moved IN (0, 1)),
  PRIMARY KEY (decision_id, crash_id)
);

CREATE INDEX crash_decision_anchors_by_crash ON crash_decision_anchors (crash_id);

-- Where a split sends the crashes that come after it; looked up before signatures.
CREATE TABLE crash_distinctions (
  project     text COLLATE "C" NOT NULL,
  target_name text COLLATE "C" NOT NULL,
  distinction text COLLATE "C" NOT NULL,
  group_id    text COLLATE "C" NOT NULL,
  decision_id text COLLATE "C" NOT NULL REFERENCES crash_decisions (id),
  PRIMARY KEY (project, target_name, distinction)
);

CREATE INDEX crash_distinctions_by_group ON crash_distinctions (group_id);
CREATE INDEX crash_distinctions_by_decision ON crash_distinctions (decision_id);

-- Jobs, bots and builds that met a group.
CREATE TABLE group_sources (
  group_id  text COLLATE "C" NOT NULL REFERENCES crash_groups (id),
  kind      text NOT NULL CHECK (kind IN ('job', 'bot', 'build')),
  source_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (group_id, kind, source_id)
);

-- What each build made of a group.
CREATE TABLE group_builds (
  group_id         text COLLATE "C" NOT NULL REFERENCES crash_groups (id),
  target_sha256    text COLLATE "C" NOT NULL,
  -- When the build was uploaded.
  built_at         bigint NOT NULL,
  first_met_at     bigint,
  last_met_at      bigint,
  hits             bigint NOT NULL CHECK (hits >= 0),
  -- When its reproducer was tried there last, and whether it crashed.
  verified_at      bigint,
  verified_crashes integer CHECK (verified_crashes IN (0, 1)),
  PRIMARY KEY (group_id, target_sha256),
  CHECK ((first_met_at IS NULL) = (hits = 0)),
  CHECK ((verified_at IS NULL) = (verified_crashes IS NULL))
);

CREATE INDEX group_builds_by_age ON group_builds (group_id, built_at);

-- How often each attempt has met a crash so far: totals, so that they can be sent again.
CREATE TABLE crash_hits (
  crash_id text COLLATE "C" NOT NULL REFERENCES crashes (id),
  fence    bigint NOT NULL,
  hits     bigint NOT NULL CHECK (hits > 0),
  PRIMARY KEY (crash_id, fence)
);

-- What came of running a crash's input again. Its job may be forgotten before it.
CREATE TABLE reproductions (
  id            text COLLATE "C" PRIMARY KEY,
  crash_id      text COLLATE "C" NOT NULL REFERENCES crashes (id),
  job_id        text COLLATE "C" NOT NULL,
  fence         bigint NOT NULL,
  bot_id        text COLLATE "C" NOT NULL REFERENCES bots (id),
  target_sha256 text COLLATE "C" NOT NULL,
  runs          integer NOT NULL CHECK (runs > 0),
  crashes       integer NOT NULL CHECK (crashes BETWEEN 0 AND runs),
  at            bigint NOT NULL,
  log           text NOT NULL,
  UNIQUE (crash_id, job_id, fence)
);

CREATE INDEX reproductions_by_bot ON reproductions (bot_id);
CREATE INDEX reproductions_by_crash ON reproductions (crash_id, id);

CREATE TABLE target_builds (
  project       text COLLATE "C" NOT NULL,
  target_name   text COLLATE "C" NOT NULL,
  target_sha256 text COLLATE "C" NOT NULL,
  first_job_id  text COLLATE "C" NOT NULL,
  PRIMARY KEY (project, target_name, target_sha256)
);

CREATE TABLE targets (
  project text COLLATE "C" NOT NULL,
  name    text COLLATE "C" NOT NULL,
  builds  integer NOT NULL CHECK (builds >= 0),
  PRIMARY KEY (project, name)
);

CREATE TABLE builds (
  project           text COLLATE "C" NOT NULL,
  target_name       text COLLATE "C" NOT NULL,
  engine            text NOT NULL,
  target_sha256     text COLLATE "C" NOT NULL REFERENCES artifacts (sha256),
  executable        text NOT NULL,
  seeds_sha256      text COLLATE "C" REFERENCES artifacts (sha256),
  dictionary_sha256 text COLLATE "C" REFERENCES artifacts (sha256),
  sequence          integer NOT NULL,
  registered_at     bigint NOT NULL,
  PRIMARY KEY (project, target_name, engine, target_sha256, executable),
  FOREIGN KEY (project, target_name) REFERENCES targets (project, name)
);

CREATE UNIQUE INDEX builds_by_age ON builds (project, target_name, sequence);
CREATE INDEX builds_by_artifact ON builds (target_sha256);
CREATE INDEX builds_by_seeds ON builds (seeds_sha256) WHERE seeds_sha256 IS NOT NULL;
CREATE INDEX builds_by_dictionary ON builds (dictionary_sha256)
  WHERE dictionary_sha256 IS NOT NULL;

CREATE TABLE crash_work (
  id             integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  kind           text NOT NULL CHECK (kind IN ('reproduce', 'minimise', 'verify')),
  project        text COLLATE "C" NOT NULL,
  target_name    text COLLATE "C" NOT NULL,
  target_sha256  text COLLATE "C",
  after_group_id text COLLATE "C" NOT NULL DEFAULT '',
  crash_id       text COLLATE "C" REFERENCES crashes (id),
  tries          integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
  job_id         text COLLATE "C",
  CHECK ((kind = 'verify') = (target_sha256 IS NOT NULL)),
  CHECK ((kind = 'verify') = (crash_id IS NULL))
);

CREATE INDEX crash_work_waiting ON crash_work (project, target_name, id) WHERE job_id IS NULL;
CREATE INDEX crash_work_made ON crash_work (project, target_name) WHERE job_id IS NOT NULL;
CREATE UNIQUE INDEX crash_work_by_job ON crash_work (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX crash_work_by_target ON crash_work (target_sha256) WHERE target_sha256 IS NOT NULL;
CREATE INDEX crash_work_by_crash ON crash_work (crash_id) WHERE crash_id IS NOT NULL;

CREATE TABLE events (
  sequence bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  time     bigint NOT NULL,
  kind     text NOT NULL,
  subject  text COLLATE "C" NOT NULL,
  detail   text NOT NULL CHECK (json_typeof(CAST(detail AS json)) = 'object')
);

CREATE INDEX events_by_subject ON events (subject, sequence);
-- The few events that webhooks deliver, among those of every job.
CREATE INDEX events_to_deliver ON events (sequence)
  WHERE kind IN ('crash_group.new', 'crash_group.reopened', 'crash_group.fixed',
    'campaign.ended', 'campaign.stuck', 'campaign.unstuck', 'bot.lost', 'bot.back');

-- Campaigns that make their runs by themselves.

CREATE TABLE fuzz_campaigns (
  id            text COLLATE "C" PRIMARY KEY,
  request_id    text COLLATE "C" UNIQUE,
  project       text COLLATE "C" NOT NULL,
  name          text COLLATE "C" NOT NULL,
  -- Of its share of the fleet: campaigns.key, and jobs.campaign of its runs.
  key           text COLLATE "C" NOT NULL,
  target_name   text COLLATE "C" NOT NULL,
  state         text NOT NULL
                CHECK (state = 'active' OR state = 'paused' OR state = 'ended'
                  OR state = 'archived'),
  state_reason  text NOT NULL,
  state_since   bigint NOT NULL,
  created_at    bigint NOT NULL,
  -- Rises with each change of the spec.
  revision      bigint NOT NULL CHECK (revision > 0),
  -- CampaignSpec as protobuf JSON; weight and limit are those of campaigns.
  spec          text NOT NULL CHECK (json_typeof(CAST(spec AS json)) = 'object'),
  -- When time alone changes what it does: it begins, or ends.
  due_at        bigint,
  -- Its runs under way are to be stopped.
  stopping      integer NOT NULL DEFAULT 0 CHECK (stopping IN (0, 1)),
  -- Runs that have ended, and milliseconds that they held a slot; as billed, each at least a
  -- minute.
  runs          bigint NOT NULL DEFAULT 0 CHECK (runs >= 0),
  finding_runs  bigint NOT NULL DEFAULT 0 CHECK (finding_runs >= 0),
  cpu_ms        bigint NOT NULL DEFAULT 0 CHECK (cpu_ms >= 0),
  billed_ms     bigint NOT NULL DEFAULT 0 CHECK (billed_ms >= 0),
  crash_groups  bigint NOT NULL DEFAULT 0 CHECK (crash_groups >= 0),
  last_find_at  bigint,
  -- billed_ms at the last find, or when it was resumed.
  quiet_from_ms bigint NOT NULL DEFAULT 0 CHECK (quiet_from_ms >= 0),
  -- billed_ms at the last find.
  last_find_ms  bigint NOT NULL DEFAULT 0 CHECK (last_find_ms >= 0),
  -- Of crash groups since builds changed last: that revision, runs that ended since, groups that
  -- they met, and those of them that one run alone met.
  groups_since  bigint NOT NULL DEFAULT 0 CHECK (groups_since >= 0),
  group_runs    bigint NOT NULL DEFAULT 0 CHECK (group_runs >= 0),
  groups_met    bigint NOT NULL DEFAULT 0 CHECK (groups_met >= 0),
  groups_once   bigint NOT NULL DEFAULT 0 CHECK (groups_once >= 0),
  -- The forecast whose time is not over: billed_ms when it was made and when it is compared with
  -- what came (NULL: there is none), what it was made from, and whether something was found since.
  forecast_from_ms  bigint,
  forecast_until_ms bigint,
  forecast_hits     double precision NOT NULL DEFAULT 0,
  forecast_ms       double precision NOT NULL DEFAULT 0,
  forecast_came     integer NOT NULL DEFAULT 0 CHECK (forecast_came IN (0, 1)),
  -- The health word by which it is stuck while it is active; empty: it is not.
  stuck_by          text NOT NULL DEFAULT ''
);

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
CREATE INDEX fuzz_campaigns_of_target ON fuzz_campaigns (project, target_name, id)
  WHERE state <> 'archived';
CREATE INDEX fuzz_campaigns_archived ON fuzz_campaigns (state_since, id) WHERE state = 'archived';

-- The builds of a campaign by name, with what their runs did.
CREATE TABLE campaign_arms (
  campaign_id  text COLLATE "C" NOT NULL REFERENCES fuzz_campaigns (id),
  build        text COLLATE "C" NOT NULL,
  -- Its place in the spec; NULL: the spec has it no more.
  position     integer,
  -- Of its runs; NULL: it makes none any more.
  queue_id     integer,
  -- Since when it runs its artifact.
  since        bigint NOT NULL,
  runs         bigint NOT NULL DEFAULT 0 CHECK (runs >= 0),
  finding_runs bigint NOT NULL DEFAULT 0 CHECK (finding_runs >= 0),
  cpu_ms       bigint NOT NULL DEFAULT 0 CHECK (cpu_ms >= 0),
  crash_groups bigint NOT NULL DEFAULT 0 CHECK (crash_groups >= 0),
  -- Sums of its runs that fade as the campaign is billed more (store/campaign-sums.ts): what was
  -- found, runs that found something, milliseconds billed; and the campaign's bill at that time.
  recent_found double precision NOT NULL DEFAULT 0 CHECK (recent_found >= 0),
  recent_hits  double precision NOT NULL DEFAULT 0 CHECK (recent_hits >= 0),
  recent_ms    double precision NOT NULL DEFAULT 0 CHECK (recent_ms >= 0),
  -- Runs in these sums.
  recent_runs  double precision NOT NULL DEFAULT 0 CHECK (recent_runs >= 0),
  stamp_ms     bigint NOT NULL DEFAULT 0 CHECK (stamp_ms >= 0),
  -- Runs that a new build is still given whatever it finds.
  trial_left   integer NOT NULL DEFAULT 4 CHECK (trial_left >= 0),
  -- The newest runs, at most 9: milliseconds that they held a slot without fuzzing, a JSON array.
  overheads    text NOT NULL DEFAULT '[]'
               CHECK (json_typeof(CAST(overheads AS json)) = 'array'),
  -- Runs on end that fuzzed for hardly any time.
  short_runs   integer NOT NULL DEFAULT 0 CHECK (short_runs >= 0),
  -- It makes no run before this, and then one; NULL: it is not held.
  held_until   bigint,
  -- How long it is held this time.
  hold_ms      bigint NOT NULL DEFAULT 0 CHECK (hold_ms >= 0),
  -- For people.
  hold_why     text NOT NULL DEFAULT '',
  PRIMARY KEY (campaign_id, build)
);

CREATE INDEX campaign_arms_by_queue ON campaign_arms (queue_id) WHERE queue_id IS NOT NULL;

-- What each build was and is.
CREATE TABLE campaign_builds (
  campaign_id       text COLLATE "C" NOT NULL REFERENCES fuzz_campaigns (id),
  build             text COLLATE "C" NOT NULL,
  -- Of the campaign, when it came.
  revision          bigint NOT NULL,
  target_sha256     text COLLATE "C" NOT NULL REFERENCES artifacts (sha256),
  seeds_sha256      text COLLATE "C" REFERENCES artifacts (sha256),
  dictionary_sha256 text COLLATE "C" REFERENCES artifacts (sha256),
  -- CampaignBuild as protobuf JSON.
  spec              text NOT NULL CHECK (json_typeof(CAST(spec AS json)) = 'object'),
  since             bigint NOT NULL,
  -- NULL: it is the present one.
  until             bigint,
  PRIMARY KEY (campaign_id, build, revision)
);

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
  job_id      text COLLATE "C" PRIMARY KEY,
  campaign_id text COLLATE "C" NOT NULL,
  build       text COLLATE "C" NOT NULL,
  -- Fuzzing that was planned for it.
  planned_ms  bigint NOT NULL CHECK (planned_ms > 0),
  -- It has ended, and is counted.
  settled     integer NOT NULL DEFAULT 0 CHECK (settled IN (0, 1))
);

CREATE INDEX campaign_runs_of ON campaign_runs (campaign_id, job_id);
CREATE INDEX campaign_runs_open ON campaign_runs (job_id) WHERE settled = 0;
CREATE INDEX campaign_runs_open_of ON campaign_runs (campaign_id, job_id) WHERE settled = 0;

-- Crash groups that runs of a campaign met: in one run, or in several (2).
CREATE TABLE campaign_groups (
  campaign_id text COLLATE "C" NOT NULL REFERENCES fuzz_campaigns (id),
  group_id    text COLLATE "C" NOT NULL,
  -- The campaign's groups_since at that time; one of an earlier build counts as not met.
  since       bigint NOT NULL,
  runs        integer NOT NULL CHECK (runs IN (1, 2)),
  PRIMARY KEY (campaign_id, group_id)
);

CREATE INDEX campaign_groups_since ON campaign_groups (campaign_id, since);

-- Forecasts of all campaigns, by the chance that they gave in tenths: how many, the sum of
-- these chances, and of how many it came true.
CREATE TABLE campaign_forecasts (
  bin       integer PRIMARY KEY CHECK (bin BETWEEN 0 AND 9),
  forecasts bigint NOT NULL CHECK (forecasts >= 0),
  said      double precision NOT NULL CHECK (said >= 0),
  came      bigint NOT NULL CHECK (came >= 0)
);

-- What happened to a campaign: the newest 1000 entries.
CREATE TABLE campaign_history (
  campaign_id text COLLATE "C" NOT NULL REFERENCES fuzz_campaigns (id),
  sequence    bigint NOT NULL,
  time        bigint NOT NULL,
  kind        text NOT NULL,
  text        text NOT NULL,
  PRIMARY KEY (campaign_id, sequence)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'events are append-only';
END $$;

CREATE TRIGGER events_are_kept_as_written BEFORE UPDATE ON events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

INSERT INTO events (time, kind, subject, detail) VALUES (0, 'log.began', '', '{}');

-- How far each webhook has got in the log of events.
CREATE TABLE webhooks (
  name          text COLLATE "C" PRIMARY KEY,
  -- Sequence of the last event that it is done with.
  cursor        bigint NOT NULL CHECK (cursor >= 0),
  -- Since when no delivery has been answered for good; NULL: the last one was.
  failing_since bigint,
  -- Why the last try failed; empty when it did not.
  last_error    text NOT NULL,
  CHECK ((failing_since IS NULL) = (last_error = ''))
);

CREATE TABLE series (
  subject           text COLLATE "C" NOT NULL,
  step_s            integer NOT NULL CHECK (step_s IN (10, 60, 600)),
  time              bigint NOT NULL,
  engine            text COLLATE "C" NOT NULL,
  looks             bigint NOT NULL CHECK (looks > 0),
  rate_sum          double precision NOT NULL,
  rate_min          double precision NOT NULL,
  rate_max          double precision NOT NULL,
  running_sum       bigint NOT NULL,
  executions        bigint NOT NULL,
  fuzzed_ms         bigint NOT NULL,
  crash_hits        bigint NOT NULL,
  new_groups        bigint NOT NULL,
  coverage          bigint NOT NULL,
  features          bigint NOT NULL,
  corpus_files      bigint NOT NULL,
  corpus_bytes      bigint NOT NULL,
  peak_memory_bytes bigint NOT NULL,
  PRIMARY KEY (subject, step_s, time, engine)
);

CREATE INDEX series_by_time ON series (step_s, time);

-- What runs have done in all, for counters of /metrics that go on after a restart.
CREATE TABLE run_sums (
  project     text COLLATE "C" NOT NULL,
  target_name text COLLATE "C" NOT NULL,
  campaign    text COLLATE "C" NOT NULL,
  engine      text COLLATE "C" NOT NULL,
  executions  bigint NOT NULL CHECK (executions >= 0),
  fuzzed_ms   bigint NOT NULL CHECK (fuzzed_ms >= 0),
  crash_hits  bigint NOT NULL CHECK (crash_hits >= 0),
  new_groups  bigint NOT NULL CHECK (new_groups >= 0),
  -- When a run last added to it, ms since 1970.
  last_at     bigint NOT NULL,
  PRIMARY KEY (project, target_name, campaign, engine)
);

CREATE TABLE corpora (
  id               integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  project          text COLLATE "C" NOT NULL,
  target_name      text COLLATE "C" NOT NULL,
  -- Its entries are the corpus.
  generation_id    bigint NOT NULL,
  -- Rises each time that entries leave.
  revision         bigint NOT NULL CHECK (revision > 0),
  -- The last merge job that was made. It may be forgotten before the row.
  merge_job_id     text COLLATE "C",
  -- When the next one is to be made; NULL: nothing was added since the last.
  merge_due_at     bigint,
  -- With so many entries it is due at once.
  merge_at_entries bigint NOT NULL CHECK (merge_at_entries > 0),
  -- The merge that replaced it last.
  last_merge       text CHECK (last_merge IS NULL
                     OR json_typeof(CAST(last_merge AS json)) = 'object'),
  UNIQUE (project, target_name)
);

CREATE INDEX corpora_to_merge ON corpora (merge_due_at, id) WHERE merge_due_at IS NOT NULL;

-- A merge and a reset begin a new generation: to replace a corpus is to change one number.
CREATE TABLE corpus_generations (
  id        bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  corpus_id integer NOT NULL,
  -- Of a merge that gathers what it keeps: its lease.
  job_id    text COLLATE "C",
  fence     bigint,
  -- Its entries are to be deleted.
  ended     integer NOT NULL DEFAULT 0 CHECK (ended IN (0, 1)),
  CHECK ((job_id IS NULL) = (fence IS NULL))
);

CREATE INDEX corpus_generations_of_merges ON corpus_generations (corpus_id, job_id, fence)
  WHERE job_id IS NOT NULL;
CREATE INDEX corpus_generations_ended ON corpus_generations (id) WHERE ended = 1;

CREATE TABLE corpus_entries (
  sequence      bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  generation_id bigint NOT NULL REFERENCES corpus_generations (id),
  sha256        text COLLATE "C" NOT NULL CHECK (length(sha256) = 64),
  size_bytes    bigint NOT NULL CHECK (size_bytes >= 0),
  origin        text COLLATE "C" NOT NULL CHECK (origin IN ('engine', 'seeds', 'import')),
  -- Of the job that brought it; empty: none did.
  engine        text COLLATE "C" NOT NULL,
  -- A foreign key, as the removal of a job relies on it.
  job_id        text COLLATE "C" REFERENCES jobs (id) ON DELETE SET NULL,
  added_at      bigint NOT NULL,
  UNIQUE (generation_id, sha256)
);

CREATE INDEX corpus_entries_in_order ON corpus_entries (generation_id, sequence);
CREATE INDEX corpus_entries_by_job ON corpus_entries (job_id) WHERE job_id IS NOT NULL;

-- Builds for which inputs are put aside: they crash or hang while they load them.
CREATE TABLE corpus_builds (
  id            bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  corpus_id     integer NOT NULL,
  target_sha256 text COLLATE "C" NOT NULL,
  put_aside     bigint NOT NULL CHECK (put_aside >= 0),
  last_at       bigint NOT NULL,
  -- Its inputs are to be forgotten.
  ended         integer NOT NULL DEFAULT 0 CHECK (ended IN (0, 1))
);

CREATE UNIQUE INDEX corpus_builds_by_target ON corpus_builds (corpus_id, target_sha256)
  WHERE ended = 0;
CREATE INDEX corpus_builds_in_order ON corpus_builds (corpus_id, id) WHERE ended = 0;
CREATE INDEX corpus_builds_ended ON corpus_builds (id) WHERE ended = 1;

CREATE TABLE corpus_put_aside (
  sequence   bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  build_id   bigint NOT NULL REFERENCES corpus_builds (id),
  sha256     text COLLATE "C" NOT NULL CHECK (length(sha256) = 64),
  size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
  reason     text NOT NULL CHECK (reason IN ('crash', 'slow', 'memory')),
  at         bigint NOT NULL,
  UNIQUE (build_id, sha256)
);

CREATE INDEX corpus_put_aside_in_order ON corpus_put_aside (build_id, sequence);

CREATE TABLE vitals (
  id         integer PRIMARY KEY CHECK (id = 1),
  written_at bigint NOT NULL,
  marks bigint NOT NULL DEFAULT 0 CHECK (marks >= 0)
);

INSERT INTO vitals (id, written_at) VALUES (1, 0);

CREATE TABLE epochs (
  id         integer PRIMARY KEY CHECK (id = 1),
  number     bigint NOT NULL CHECK (number >= 0),
  fence_base bigint NOT NULL CHECK (fence_base >= 0),
  witnessed  integer NOT NULL CHECK (witnessed IN (0, 1)),
  is_copy    integer NOT NULL CHECK (is_copy IN (0, 1))
);

INSERT INTO epochs (id, number, fence_base, witnessed, is_copy) VALUES (1, 0, 0, 0, 0);

-- Counts. A single shard's value may be below 0, as a row that one master has counted may
-- be changed by another.

CREATE TABLE counters (
  name  text COLLATE "C" NOT NULL,
  shard integer NOT NULL,
  value bigint NOT NULL,
  PRIMARY KEY (name, shard)
) WITH (fillfactor = 20);

INSERT INTO counters (name, shard, value) VALUES
  ('bots', 0, 0), ('crash_hits', 0, 0), ('crash_inputs_kept', 0, 0), ('crash_groups', 0, 0),
  ('jobs.pending', 0, 0), ('jobs.assigned', 0, 0), ('jobs.running', 0, 0),
  ('jobs.completed', 0, 0), ('jobs.cancelled', 0, 0), ('jobs.dead', 0, 0), ('jobs.paused', 0, 0),
  ('blob_file_bytes', 0, 0), ('pack_bytes', 0, 0), ('pack_live_bytes', 0, 0), ('artifacts', 0, 0);

CREATE TABLE corpus_sizes (
  generation_id bigint NOT NULL,
  origin        text COLLATE "C" NOT NULL,
  engine        text COLLATE "C" NOT NULL,
  shard         integer NOT NULL,
  entries       bigint NOT NULL,
  bytes         bigint NOT NULL,
  PRIMARY KEY (generation_id, origin, engine, shard)
) WITH (fillfactor = 20);

-- The shard of this master, which it sets in each of its transactions.
CREATE FUNCTION shard() RETURNS integer LANGUAGE sql STABLE AS
  $$ SELECT CAST(coalesce(nullif(current_setting('pandafuzz.shard', true), ''), '0') AS integer) $$;

CREATE FUNCTION count_by(counted text, by bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO counters AS c (name, shard, value) SELECT counted, shard(), by WHERE by <> 0
  ON CONFLICT (name, shard) DO UPDATE SET value = c.value + excluded.value
$$;

CREATE FUNCTION count_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM count_by(TG_ARGV[0], (SELECT count(*) FROM new_rows));
  RETURN NULL;
END $$;

CREATE TRIGGER count_bots AFTER INSERT ON bots
  REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_rows('bots');

CREATE TRIGGER count_artifacts AFTER INSERT ON artifacts
  REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_rows('artifacts');

CREATE FUNCTION uncount_artifacts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM count_by('artifacts', -(SELECT count(*) FROM old_rows));
  RETURN NULL;
END $$;

CREATE TRIGGER uncount_artifacts AFTER DELETE ON artifacts
  REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION uncount_artifacts();

CREATE FUNCTION count_crashes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM count_by('crash_hits', (SELECT CAST(coalesce(sum(hits), 0) AS bigint) FROM new_rows));
  PERFORM count_by('crash_inputs_kept', (SELECT count(*) FROM new_rows));
  RETURN NULL;
END $$;

CREATE TRIGGER count_crashes AFTER INSERT ON crashes
  REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_crashes();

CREATE FUNCTION recount_crashes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM count_by('crash_hits', (
    SELECT CAST(coalesce(sum(new_rows.hits - old_rows.hits), 0) AS bigint)
    FROM new_rows JOIN old_rows USING (id)));
  RETURN NULL;
END $$;

CREATE TRIGGER recount_crashes AFTER UPDATE ON crashes
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION recount_crashes();

CREATE TRIGGER count_crash_groups AFTER INSERT ON crash_groups
  REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_rows('crash_groups');

CREATE FUNCTION recount_crash_groups() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM count_by('crash_groups',
    (SELECT count(*) FROM new_rows WHERE merged_into IS NULL)
    - (SELECT count(*) FROM old_rows WHERE merged_into IS NULL));
  RETURN NULL;
END $$;

CREATE TRIGGER recount_crash_groups AFTER UPDATE ON crash_groups
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION recount_crash_groups();

CREATE FUNCTION uncount_bots() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM count_by('bots', -(
    SELECT count(*) FROM new_rows JOIN old_rows USING (id)
    WHERE new_rows.forgotten_at IS NOT NULL AND old_rows.forgotten_at IS NULL));
  RETURN NULL;
END $$;

CREATE TRIGGER uncount_bots AFTER UPDATE ON bots
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION uncount_bots();

-- Jobs by state and by queue. Rows of counters are taken in the order of their keys, so
-- that two transactions of one shard do not wait for each other.

CREATE FUNCTION count_new_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO counters AS c (name, shard, value)
  SELECT 'jobs.' || state, shard(), count(*) FROM new_rows GROUP BY state ORDER BY state
  ON CONFLICT (name, shard) DO UPDATE SET value = c.value + excluded.value;

  INSERT INTO queue_counters AS c (queue_id, shard, pending)
  SELECT queue_id, shard(), count(*) FROM new_rows WHERE state = 'pending'
  GROUP BY queue_id ORDER BY queue_id
  ON CONFLICT (queue_id, shard) DO UPDATE SET pending = c.pending + excluded.pending;
  RETURN NULL;
END $$;

CREATE FUNCTION recount_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO counters AS c (name, shard, value)
  SELECT 'jobs.' || state, shard(), sum(n)
  FROM (SELECT state, 1 AS n FROM new_rows UNION ALL SELECT state, -1 FROM old_rows) AS change
  GROUP BY state HAVING sum(n) <> 0 ORDER BY state
  ON CONFLICT (name, shard) DO UPDATE SET value = c.value + excluded.value;

  INSERT INTO queue_counters AS c (queue_id, shard, pending)
  SELECT queue_id, shard(), sum(n)
  FROM (SELECT queue_id, 1 AS n FROM new_rows WHERE state = 'pending'
    UNION ALL SELECT queue_id, -1 FROM old_rows WHERE state = 'pending') AS change
  GROUP BY queue_id HAVING sum(n) <> 0 ORDER BY queue_id
  ON CONFLICT (queue_id, shard) DO UPDATE SET pending = c.pending + excluded.pending;
  RETURN NULL;
END $$;

CREATE FUNCTION uncount_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO counters AS c (name, shard, value)
  SELECT 'jobs.' || state, shard(), -count(*) FROM old_rows GROUP BY state ORDER BY state
  ON CONFLICT (name, shard) DO UPDATE SET value = c.value + excluded.value;
  RETURN NULL;
END $$;

CREATE TRIGGER count_new_jobs AFTER INSERT ON jobs
  REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_new_jobs();

CREATE TRIGGER recount_jobs AFTER UPDATE ON jobs
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION recount_jobs();

CREATE TRIGGER uncount_jobs AFTER DELETE ON jobs
  REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION uncount_jobs();

CREATE FUNCTION count_corpus() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO corpus_sizes AS c (generation_id, origin, engine, shard, entries, bytes)
  SELECT generation_id, origin, engine, shard(), count(*), sum(size_bytes) FROM new_rows
  GROUP BY generation_id, origin, engine ORDER BY generation_id, origin, engine
  ON CONFLICT (generation_id, origin, engine, shard) DO UPDATE SET
    entries = c.entries + excluded.entries, bytes = c.bytes + excluded.bytes;
  RETURN NULL;
END $$;

CREATE FUNCTION uncount_corpus() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO corpus_sizes AS c (generation_id, origin, engine, shard, entries, bytes)
  SELECT generation_id, origin, engine, shard(), -count(*), -sum(size_bytes) FROM old_rows
  GROUP BY generation_id, origin, engine ORDER BY generation_id, origin, engine
  ON CONFLICT (generation_id, origin, engine, shard) DO UPDATE SET
    entries = c.entries + excluded.entries, bytes = c.bytes + excluded.bytes;
  RETURN NULL;
END $$;

CREATE TRIGGER count_corpus AFTER INSERT ON corpus_entries
  REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_corpus();

CREATE TRIGGER uncount_corpus AFTER DELETE ON corpus_entries
  REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION uncount_corpus();

-- Rows that refer to blobs.

CREATE FUNCTION use_blobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO blobs (sha256, size_bytes, refs)
  SELECT sha256, max(size_bytes), count(*) FROM new_rows GROUP BY sha256 ORDER BY sha256
  ON CONFLICT (sha256) DO UPDATE SET refs = blobs.refs + excluded.refs, unused_since = NULL;
  RETURN NULL;
END $$;

CREATE FUNCTION use_crash_blobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO blobs (sha256, size_bytes, refs)
  SELECT input_sha256, max(input_size_bytes), count(*) FROM new_rows
  GROUP BY input_sha256 ORDER BY input_sha256
  ON CONFLICT (sha256) DO UPDATE SET refs = blobs.refs + excluded.refs, unused_since = NULL;
  RETURN NULL;
END $$;

CREATE FUNCTION leave_blobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE blobs SET refs = blobs.refs - gone.refs,
    unused_since = CASE WHEN blobs.refs = gone.refs THEN 0 END
  FROM (SELECT sha256, count(*) AS refs FROM old_rows GROUP BY sha256) AS gone
  WHERE blobs.sha256 = gone.sha256;
  RETURN NULL;
END $$;

CREATE FUNCTION leave_crash_blobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE blobs SET refs = blobs.refs - gone.refs,
    unused_since = CASE WHEN blobs.refs = gone.refs THEN 0 END
  FROM (SELECT input_sha256, count(*) AS refs FROM old_rows GROUP BY input_sha256) AS gone
  WHERE blobs.sha256 = gone.input_sha256;
  RETURN NULL;
END $$;

CREATE TRIGGER use_artifact_blob AFTER INSERT ON artifacts
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION use_blobs();
CREATE TRIGGER leave_artifact_blob AFTER DELETE ON artifacts
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION leave_blobs();
CREATE TRIGGER use_corpus_blob AFTER INSERT ON corpus_entries
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION use_blobs();
CREATE TRIGGER leave_corpus_blob AFTER DELETE ON corpus_entries
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION leave_blobs();
CREATE TRIGGER use_crash_blob AFTER INSERT ON crashes
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION use_crash_blobs();
CREATE TRIGGER leave_crash_blob AFTER DELETE ON crashes
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION leave_crash_blobs();

-- Figures of the disk.

CREATE FUNCTION count_blob_files() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM count_by('blob_file_bytes', (
    SELECT CAST(coalesce(sum(size_bytes), 0) AS bigint) FROM new_rows WHERE pack_id IS NULL));
  RETURN NULL;
END $$;

CREATE FUNCTION recount_blob_files() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM count_by('blob_file_bytes',
    (SELECT CAST(coalesce(sum(size_bytes), 0) AS bigint) FROM new_rows WHERE pack_id IS NULL)
    - (SELECT CAST(coalesce(sum(size_bytes), 0) AS bigint) FROM old_rows WHERE pack_id IS NULL));
  RETURN NULL;
END $$;

CREATE FUNCTION uncount_blob_files() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM count_by('blob_file_bytes', -(
    SELECT CAST(coalesce(sum(size_bytes), 0) AS bigint) FROM old_rows WHERE pack_id IS NULL));
  RETURN NULL;
END $$;

CREATE TRIGGER count_blob_file AFTER INSERT ON blobs
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_blob_files();
CREATE TRIGGER recount_blob_file AFTER UPDATE ON blobs
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION recount_blob_files();
CREATE TRIGGER uncount_blob_file AFTER DELETE ON blobs
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION uncount_blob_files();

CREATE FUNCTION count_packs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'DELETE' THEN
    PERFORM count_by('pack_bytes', NEW.size_bytes), count_by('pack_live_bytes', NEW.live_bytes);
  END IF;
  IF TG_OP <> 'INSERT' THEN
    PERFORM count_by('pack_bytes', -OLD.size_bytes), count_by('pack_live_bytes', -OLD.live_bytes);
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER count_pack AFTER INSERT OR UPDATE OR DELETE ON packs
  FOR EACH ROW EXECUTE FUNCTION count_packs();

-- Tokens of callers. A token itself is nowhere: what has its SHA-256 finds it.
CREATE TABLE tokens (
  id           text COLLATE "C" PRIMARY KEY,
  -- SHA-256 of the token, 64 hex digits.
  hash         text COLLATE "C" NOT NULL UNIQUE CHECK (length(hash) = 64),
  name         text NOT NULL,
  role         text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin', 'bot', 'enrol')),
  -- Of a bot, or of the bots that enrol with it: the value of their label "pool"; '': none.
  pool         text NOT NULL DEFAULT '',
  -- Names of projects that a viewer or operator is bound to, as JSON; '[]': all.
  projects     text NOT NULL DEFAULT '[]'
               CHECK (json_typeof(CAST(projects AS json)) = 'array'
                 AND (projects = '[]' OR role IN ('viewer', 'operator'))),
  -- A name in a client's certificate that stands for the token ('DNS:north'); '': its text does.
  certificate  text NOT NULL DEFAULT '',
  -- Of role bot: the one bot that it is. NULL: the first that registers with it.
  bot_id       text COLLATE "C",
  created_by   text NOT NULL,
  created_at   bigint NOT NULL,
  expires_at   bigint,
  last_used_at bigint,
  revoked_at   bigint,
  -- Who revoked it; of role enrol, 'enrolment' once it was used.
  revoked_by   text,
  CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
  CHECK (bot_id IS NULL OR role = 'bot')
);

CREATE INDEX tokens_by_bot ON tokens (bot_id) WHERE bot_id IS NOT NULL;
CREATE INDEX tokens_revoked ON tokens (revoked_at, id) WHERE revoked_at IS NOT NULL;
CREATE INDEX tokens_expiring ON tokens (expires_at, id) WHERE expires_at IS NOT NULL;

-- Who did what, from where: a chain of hashes (core/audit.ts).
CREATE TABLE audit (
  -- Without gaps.
  sequence   bigint PRIMARY KEY CHECK (sequence > 0),
  -- Never before that of the entry before.
  time       bigint NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('change', 'refusal', 'cut')),
  method     text NOT NULL,
  caller     text COLLATE "C" NOT NULL,
  token_id   text NOT NULL,
  role       text NOT NULL,
  address    text NOT NULL,
  request_id text NOT NULL,
  -- JSON: pairs of field and value.
  about      text NOT NULL,
  outcome    text NOT NULL,
  count      bigint NOT NULL CHECK (count > 0),
  -- Hash of the entry before; '' of the first.
  previous   text NOT NULL,
  hash       text NOT NULL CHECK (length(hash) = 64)
);

CREATE INDEX audit_by_time ON audit (time, sequence);
CREATE INDEX audit_by_caller ON audit (caller, sequence);

-- Secrets of targets, encrypted (core/secret-box.ts).
CREATE TABLE secrets (
  project    text COLLATE "C" NOT NULL,
  name       text COLLATE "C" NOT NULL,
  -- Which key opens it: the beginning of a hash of that key.
  key_id     text NOT NULL,
  -- Nonce, tag and ciphertext, base64.
  sealed     text NOT NULL,
  created_at bigint NOT NULL,
  set_at     bigint NOT NULL,
  set_by     text NOT NULL,
  PRIMARY KEY (project, name)
);

-- Source coverage of targets: builds that measure it, and reports.
CREATE TABLE coverage_targets (
  id            integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  project       text COLLATE "C" NOT NULL,
  target_name   text COLLATE "C" NOT NULL,
  target_sha256 text COLLATE "C" NOT NULL REFERENCES artifacts (sha256),
  executable    text NOT NULL,
  registered_at bigint NOT NULL,
  -- The last job that was made. It may be forgotten before the row.
  job_id        text COLLATE "C",
  -- When the next one is to be made.
  due_at        bigint NOT NULL,
  -- What the newest report was made of: a build, and a corpus up to a cursor.
  seen_sha256   text NOT NULL DEFAULT '',
  seen_revision bigint NOT NULL DEFAULT 0,
  seen_cursor   bigint NOT NULL DEFAULT 0,
  UNIQUE (project, target_name)
);

CREATE INDEX coverage_targets_due ON coverage_targets (due_at, id);
CREATE INDEX coverage_targets_by_artifact ON coverage_targets (target_sha256, project);

CREATE TABLE coverage_reports (
  id                 bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  coverage_id        integer NOT NULL REFERENCES coverage_targets (id),
  job_id             text COLLATE "C" NOT NULL,
  fence              bigint NOT NULL,
  -- ended: its files are to be deleted, and then itself.
  state              text NOT NULL CHECK (state IN ('gathering', 'complete', 'ended')),
  at                 bigint NOT NULL,
  target_sha256      text NOT NULL,
  -- The report that it is compared with; NULL: it is the first.
  base_id            bigint,
  lines              bigint NOT NULL DEFAULT 0 CHECK (lines >= 0),
  covered_lines      bigint NOT NULL DEFAULT 0 CHECK (covered_lines <= lines),
  functions          bigint NOT NULL DEFAULT 0 CHECK (functions >= 0),
  covered_functions  bigint NOT NULL DEFAULT 0 CHECK (covered_functions <= functions),
  regions            bigint NOT NULL DEFAULT 0 CHECK (regions >= 0),
  covered_regions    bigint NOT NULL DEFAULT 0 CHECK (covered_regions <= regions),
  files              bigint NOT NULL DEFAULT 0 CHECK (files >= 0),
  inputs             bigint NOT NULL DEFAULT 0 CHECK (inputs >= 0),
  failed_inputs      bigint NOT NULL DEFAULT 0 CHECK (failed_inputs >= 0),
  tools              text NOT NULL DEFAULT '',
  note               text NOT NULL DEFAULT '',
  new_lines          bigint NOT NULL DEFAULT 0 CHECK (new_lines >= 0),
  lost_lines         bigint NOT NULL DEFAULT 0 CHECK (lost_lines >= 0),
  files_not_compared bigint NOT NULL DEFAULT 0 CHECK (files_not_compared >= 0)
);

CREATE INDEX coverage_reports_of ON coverage_reports (coverage_id, state, id);
CREATE INDEX coverage_reports_ended ON coverage_reports (id) WHERE state = 'ended';

CREATE TABLE coverage_files (
  report_id         bigint NOT NULL REFERENCES coverage_reports (id),
  path              text COLLATE "C" NOT NULL,
  lines             bigint NOT NULL CHECK (lines >= 0),
  covered_lines     bigint NOT NULL CHECK (covered_lines BETWEEN 0 AND lines),
  functions         bigint NOT NULL CHECK (functions >= 0),
  covered_functions bigint NOT NULL CHECK (covered_functions BETWEEN 0 AND functions),
  regions           bigint NOT NULL CHECK (regions >= 0),
  covered_regions   bigint NOT NULL CHECK (covered_regions BETWEEN 0 AND regions),
  -- '': it has none.
  source_sha256     text NOT NULL,
  -- NULL: it could not be compared.
  new_lines         bigint CHECK (new_lines >= 0),
  lost_lines        bigint CHECK (lost_lines >= 0),
  -- CoverageDetail as gzip, base64.
  detail            text NOT NULL,
  PRIMARY KEY (report_id, path)
);

-- Hints for the other masters, where there are any.

CREATE TRIGGER tell_new_work AFTER INSERT ON queue_counters
  FOR EACH ROW WHEN (NEW.pending > 0 AND master() <> 0)
  EXECUTE FUNCTION tell('queue', 'queue_id');
CREATE TRIGGER tell_more_work AFTER UPDATE ON queue_counters
  FOR EACH ROW WHEN (NEW.pending > OLD.pending AND master() <> 0)
  EXECUTE FUNCTION tell('queue', 'queue_id');

CREATE TRIGGER tell_stop AFTER UPDATE ON jobs
  FOR EACH ROW WHEN (NEW.state IN ('assigned', 'running') AND master() <> 0
    AND (NEW.cancel_requested_at IS DISTINCT FROM OLD.cancel_requested_at
      OR NEW.pause_requested_at IS DISTINCT FROM OLD.pause_requested_at
      OR NEW.timed_out_at IS DISTINCT FROM OLD.timed_out_at))
  EXECUTE FUNCTION tell('job', 'id');

CREATE TRIGGER tell_lease_over AFTER DELETE ON leases
  FOR EACH ROW WHEN (OLD.master <> master() AND master() <> 0)
  EXECUTE FUNCTION tell('lease', 'job_id');
CREATE TRIGGER tell_lease_moved AFTER UPDATE ON leases
  FOR EACH ROW WHEN (NEW.master <> OLD.master)
  EXECUTE FUNCTION tell('lease', 'job_id');

CREATE TRIGGER tell_bot AFTER UPDATE ON bots
  FOR EACH ROW WHEN (master() <> 0
    AND (NEW.drain_requested_at IS DISTINCT FROM OLD.drain_requested_at
      OR NEW.forgotten_at IS DISTINCT FROM OLD.forgotten_at
      OR NEW.held_until IS DISTINCT FROM OLD.held_until
      OR NEW.failed_starts <> OLD.failed_starts
      OR NEW.master IS DISTINCT FROM OLD.master))
  EXECUTE FUNCTION tell('bot', 'id');

CREATE TRIGGER tell_new_token AFTER INSERT ON tokens
  FOR EACH ROW WHEN (master() <> 0) EXECUTE FUNCTION tell('token', 'id');
CREATE TRIGGER tell_token AFTER UPDATE ON tokens
  FOR EACH ROW WHEN (master() <> 0 AND (NEW.revoked_at IS DISTINCT FROM OLD.revoked_at
    OR NEW.bot_id IS DISTINCT FROM OLD.bot_id))
  EXECUTE FUNCTION tell('token', 'id');
CREATE TRIGGER tell_secret AFTER INSERT OR UPDATE OR DELETE ON secrets
  FOR EACH ROW WHEN (master() <> 0) EXECUTE FUNCTION tell('secret', 'project');
CREATE TRIGGER tell_campaign AFTER INSERT OR UPDATE ON campaigns
  FOR EACH ROW WHEN (master() <> 0) EXECUTE FUNCTION tell('campaign', 'key');
CREATE TRIGGER tell_new_fuzz_campaign AFTER INSERT ON fuzz_campaigns
  FOR EACH ROW WHEN (master() <> 0) EXECUTE FUNCTION tell('fuzz_campaign', 'id');
CREATE TRIGGER tell_fuzz_campaign AFTER UPDATE ON fuzz_campaigns
  FOR EACH ROW WHEN (master() <> 0 AND (NEW.state <> OLD.state OR NEW.revision <> OLD.revision
    OR NEW.stopping <> OLD.stopping OR NEW.due_at IS DISTINCT FROM OLD.due_at))
  EXECUTE FUNCTION tell('fuzz_campaign', 'id');
