import { either } from './dialect.js';

/** Rows as the operations return them: columns by their SQL names, times in ms since 1970. */

export type JobStateName =
  | 'pending'
  | 'assigned'
  | 'running'
  | 'completed'
  | 'cancelled'
  | 'dead'
  | 'paused';

/** How an attempt ended, as its bot told it. */
export type ToldOutcome = 'completed' | 'failed' | 'cancelled' | 'infrastructure';

/** How a lease was taken back: for a refusal of its bot, or for what the master saw. */
export type ReleaseOutcome =
  | 'rejected'
  | 'infrastructure'
  | 'unanswered'
  | 'lost'
  | 'timed_out'
  | 'not_stopped';

/** What kept a run from starting on its bot. */
export type StartTroubleName = 'machine' | 'missing';

export type AttemptOutcome = ToldOutcome | ReleaseOutcome;

/** Kinds of jobs that work on crashes. */
export type CrashWorkKind = 'reproduce' | 'minimise' | 'verify';

export type JobKindName = 'fuzz' | CrashWorkKind | 'merge' | 'coverage';

export interface BotRow {
  id: string;
  name: string;
  /** JSON array of strings. */
  engines: string;
  slots: number;
  /** JSON object of strings. */
  labels: string;
  memory_mib: number;
  disk_mib: number;
  version: string;
  registered_at: number;
  last_seen_at: number;
  drain_requested_at: number | null;
  drain_acknowledged_at: number | null;
  drained_at: number | null;
  /** JSON array of objects, as BotEngine has it in JSON. */
  engine_details: string;
  /** As pandafuzz.v1.Isolation; 0: not stated. */
  isolation: number;
  /** JSON array of strings. */
  isolation_gaps: string;
  /** Its runs are root, as it is. */
  runs_as_root: 0 | 1;
  failed_starts: number;
  held_until: number | null;
  held_why: string;
  /** What the bot keeps in its work folder; null: it is who its name says. */
  identity: string | null;
  /** The name it asked for, where a live bot had that; else empty. */
  wanted_name: string;
  /** The master of a cluster that has its stream. */
  master?: number | null;
}

export const botColumns = `id, name, engines, slots, labels, memory_mib, disk_mib, version,
  registered_at, last_seen_at, drain_requested_at, drain_acknowledged_at, drained_at,
  engine_details, isolation, isolation_gaps, runs_as_root, failed_starts, held_until, held_why, identity,
  wanted_name${either({ sqlite: ', NULL AS master', postgres: ', master' })}`;

export interface JobRow {
  id: string;
  state: JobStateName;
  queue_id: number;
  campaign: string;
  engine: string;
  priority: number;
  attempt: number;
  max_attempts: number;
  failed_attempts: number;
  refused_attempts: number;
  lost_attempts: number;
  fence: number;
  bot_id: string | null;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  cancel_requested_at: number | null;
  cancel_acknowledged_at: number | null;
  pause_requested_at: number | null;
  timed_out_at: number | null;
  delayed: 0 | 1;
  ready_at: number | null;
  outcome: AttemptOutcome | null;
  message: string | null;
  /** Of the current or the last attempt: JobStatistics as protobuf JSON. */
  statistics: string | null;
  /** Sum of the attempts before that one. */
  earlier_statistics: string | null;
  statistics_at: number | null;
  final: 0 | 1;
  /** JobSpec as protobuf JSON. */
  spec: string;
}

const jobColumnNames = [
  'id',
  'state',
  'queue_id',
  'campaign',
  'engine',
  'priority',
  'attempt',
  'max_attempts',
  'failed_attempts',
  'refused_attempts',
  'lost_attempts',
  'fence',
  'bot_id',
  'created_at',
  'started_at',
  'finished_at',
  'cancel_requested_at',
  'cancel_acknowledged_at',
  'pause_requested_at',
  'timed_out_at',
  'delayed',
  'ready_at',
  'outcome',
  'message',
  'statistics',
  'earlier_statistics',
  'statistics_at',
  'final',
  'spec',
];

export const jobColumns = jobColumnNames.join(', ');

/** For statements in which other tables have columns of these names. */
export const qualifiedJobColumns = jobColumnNames.map((name) => `jobs.${name}`).join(', ');

/** What is needed to hand a job out. */
export type ClaimedJob = Pick<
  JobRow,
  | ('id' | 'campaign' | 'attempt' | 'fence' | 'spec')
  | ('cancel_requested_at' | 'pause_requested_at' | 'timed_out_at')
> & {
  queue_id?: number;
  /** Jobs that still wait in its queue, delayed ones included; read with a claim. */
  left_in_queue?: number;
  target_sha256?: string;
  project?: string;
  target_name?: string;
  engine?: string;
  /** Fuzzing that its limits allow, milliseconds; null: no such limit. */
  fuzz_within_ms?: number | null;
  /** Fuzzing of earlier attempts, milliseconds. */
  spent_ms?: number;
  /** Inputs of crashes that earlier attempts found, 1000 at most; where the job limits them. */
  known_inputs?: readonly string[];
};

/** Jobs of one campaign that ask the same of a bot. */
export interface QueueRow {
  id: number;
  campaign: string;
  engine: string;
  /** JSON object of strings. */
  labels: string;
  memory_mib: number;
  disk_mib: number;
  /** Not for this bot; empty: for any. */
  other_than_bot_id: string;
  pending: number;
}

export const queueColumns =
  'id, campaign, engine, labels, memory_mib, disk_mib, other_than_bot_id, pending';

export interface CampaignRow {
  key: string;
  weight: number;
  max_parallel: number;
  pending: number;
}

/** PostgreSQL's sums of large integers are of no integer type. */
export const campaignColumns = `key, weight, max_parallel,
  (SELECT CAST(coalesce(sum(pending), 0) AS BIGINT) FROM queues WHERE campaign = key) AS pending`;

export interface AttemptRow {
  attempt: number;
  fence: number;
  bot_id: string;
  assigned_at: number;
  acknowledged_at: number | null;
  ended_at: number | null;
  outcome: AttemptOutcome | null;
  message: string | null;
  statistics: string | null;
  trouble: StartTroubleName | null;
  cause: string | null;
  final: 0 | 1;
}

/** A job that a bot could not start, and is not given. */
export interface AvoidedRow {
  bot_id: string;
  job_id: string;
  tries: number;
  active: 0 | 1;
  until_at: number;
  message: string;
}

export interface EventRow {
  sequence: number;
  time: number;
  kind: string;
  subject: string;
}

/** How far a webhook has got in the log of events. */
export interface WebhookRow {
  name: string;
  /** Sequence of the last event that it is done with. */
  cursor: number;
  /** Since when no delivery has been answered for good; null: the last one was. */
  failing_since: number | null;
  /** Why the last try failed; empty when it did not. */
  last_error: string;
}

export interface LeaseRow {
  job_id: string;
  attempt: number;
  fence: number;
  bot_id: string;
  campaign: string;
  ttl_ms: number;
  /** Claimed by a unary call, without a stream. */
  pulled: 0 | 1;
  acknowledged_at: number | null;
  stop_requested: 0 | 1;
  timed_out_at?: number | null;
  queue_id?: number;
  target_sha256?: string;
  project?: string;
  target_name?: string;
  engine?: string;
  fuzz_within_ms?: number | null;
  spent_ms?: number;
}

export type ArtifactKindName = 'target' | 'bundle' | 'seeds' | 'dictionary';

/** An artifact as one of the things that it was uploaded as. */
export interface ArtifactRow {
  sha256: string;
  kind: ArtifactKindName;
  name: string;
  size_bytes: number;
  created_at: number;
}

/** A build of a target. */
export interface BuildRow {
  project: string;
  target_name: string;
  engine: string;
  target_sha256: string;
  executable: string;
  seeds_sha256: string | null;
  dictionary_sha256: string | null;
  registered_at: number;
}

export const buildColumns = `project, target_name, engine, target_sha256, executable,
  seeds_sha256, dictionary_sha256, registered_at`;

export interface TargetRow {
  project: string;
  name: string;
  builds: number;
}

export interface CorpusEntryRow {
  /** The cursor from which reading goes on after it. */
  sequence: number;
  sha256: string;
  size_bytes: number;
  /** NULL: its bytes are a file of their own. */
  pack_id: number | null;
  /** In the pack. */
  position: number | null;
}

/** Where an input of a corpus came from first. */
export type CorpusOrigin = 'engine' | 'seeds' | 'import';

/** An entry with all that is known of it. */
export interface CorpusEntryDetails extends CorpusEntryRow {
  origin: CorpusOrigin;
  /** Of the job that brought it; empty: none did. */
  engine: string;
  job_id: string | null;
  added_at: number;
}

export interface CorpusRow {
  id: number;
  project: string;
  target_name: string;
  generation_id: number;
  revision: number;
  /** MergeOnRecord as JSON. */
  last_merge: string | null;
  /** The merge that is under way. */
  merging_job_id: string | null;
}

/** A part of a corpus, by where it came from. */
export interface CorpusSourceRow {
  origin: CorpusOrigin;
  engine: string;
  entries: number;
  bytes: number;
}

/** What is put aside for a build. */
export interface CorpusBuildRow {
  target_sha256: string;
  put_aside: number;
  last_at: number;
}

export type PutAsideReason = 'crash' | 'slow' | 'memory';

export interface PutAsideRow {
  sequence: number;
  sha256: string;
  size_bytes: number;
  reason: PutAsideReason;
  at: number;
}

/** The merge that replaced a corpus last. */
export interface MergeOnRecord {
  jobId: string;
  at: number;
  targetSha256: string;
  entriesBefore: number;
  entriesAfter: number;
  before: { coverage: number; features: number };
  after: { coverage: number; features: number };
}
