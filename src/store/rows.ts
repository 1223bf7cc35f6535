/** Rows as the operations return them: columns by their SQL names, times in ms since 1970. */

export type JobStateName = 'pending' | 'assigned' | 'running' | 'completed' | 'cancelled' | 'dead';

/** How an attempt ended: as its bot told it, or what the master saw when the bot told nothing. */
export type AttemptOutcome =
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'infrastructure'
  | 'rejected'
  | 'unanswered'
  | 'lost';

export interface BotRow {
  id: string;
  name: string;
  /** JSON array of strings. */
  engines: string;
  slots: number;
  /** JSON object of strings. */
  labels: string;
  version: string;
  registered_at: number;
  last_seen_at: number;
}

export interface JobRow {
  id: string;
  state: JobStateName;
  engine: string;
  attempt: number;
  failed_attempts: number;
  fence: number;
  bot_id: string | null;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  cancel_requested_at: number | null;
  outcome: AttemptOutcome | null;
  message: string | null;
  /** JobStatistics as protobuf JSON. */
  statistics: string | null;
  /** JobSpec as protobuf JSON. */
  spec: string;
}

export const jobColumns = `id, state, engine, attempt, failed_attempts, fence, bot_id, created_at,
  started_at, finished_at, cancel_requested_at, outcome, message, statistics, spec`;

export interface LeaseRow {
  job_id: string;
  attempt: number;
  fence: number;
  bot_id: string;
  engine: string;
  ttl_ms: number;
  /** Claimed by a unary call, without a stream. */
  pulled: 0 | 1;
  acknowledged_at: number | null;
  cancel_requested: 0 | 1;
}

export interface ArtifactRow {
  sha256: string;
  kind: 'target' | 'seeds';
  name: string;
  size_bytes: number;
  created_at: number;
}

export interface CrashRow {
  id: string;
  group_id: string;
  job_id: string;
  attempt: number;
  bot_id: string;
  target_name: string;
  kind: string;
  top_frame: string;
  input_sha256: string;
  input_size_bytes: number;
  found_at: number;
  late: 0 | 1;
  /** JSON array of strings. */
  frames: string;
}

export const crashColumns = `id, group_id, job_id, attempt, bot_id, target_name, kind, top_frame,
  input_sha256, input_size_bytes, found_at, late, frames`;

export interface CrashGroupRow {
  id: string;
  target_name: string;
  kind: string;
  top_frame: string;
  count: number;
  first_found_at: number;
  last_found_at: number;
  first_crash_id: string;
}
