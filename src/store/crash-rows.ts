/** Rows about crashes, as those of rows.ts. */

/** What the reader found in a crash's report. */
export interface CrashReading {
  kind: string;
  message: string;
  topFrame: string;
  access: '' | 'read' | 'write';
  accessSizeBytes: number;
  address: '' | 'near-null' | 'wild';
  security: 0 | 1;
  securityWhy: string;
  language: string;
  /** By which version of the reader. */
  signatureVersion: number;
  /** Key of its group, within the target: equal for crashes that are one bug. */
  signature: string;
  /** Finer than the signature; empty for a report that could not be read. */
  distinction: string;
  /** JSON array of strings. */
  frames: string;
  /** JSON array of StackFrame as protobuf JSON. */
  stack: string;
}

export interface CrashRow {
  id: string;
  group_id: string;
  job_id: string;
  attempt: number;
  bot_id: string;
  project: string;
  target_name: string;
  kind: string;
  message: string;
  top_frame: string;
  access: CrashReading['access'];
  access_size_bytes: number;
  address: CrashReading['address'];
  security: 0 | 1;
  security_why: string;
  language: string;
  input_sha256: string;
  input_size_bytes: number;
  found_at: number;
  hits: number;
  late: 0 | 1;
  minimised_from: string | null;
  /** JSON array of strings. */
  frames: string;
}

export const crashColumns = `id, group_id, job_id, attempt, bot_id, project, target_name, kind,
  message, top_frame, access, access_size_bytes, address, security, security_why, language,
  input_sha256, input_size_bytes, found_at, hits, late, minimised_from, frames`;

/** What came of running a crash's input again. */
export interface ReproductionRow {
  job_id: string;
  bot_id: string;
  target_sha256: string;
  runs: number;
  crashes: number;
  at: number;
  /** Empty in lists. */
  log: string;
}

export const groupStatuses = ['new', 'confirmed', 'fixed', 'wont_fix', 'ignored'] as const;
export type GroupStatusName = (typeof groupStatuses)[number];

export interface CrashGroupRow {
  id: string;
  project: string;
  target_name: string;
  kind: string;
  message: string;
  top_frame: string;
  security: 0 | 1;
  count: number;
  hits: number;
  jobs: number;
  bots: number;
  builds: number;
  first_found_at: number;
  last_found_at: number;
  first_crash_id: string;
  reproducer_crash_id: string;
  status: GroupStatusName;
  note: string;
  status_set_by: string;
  status_set_at: number | null;
  fixed_in_sha256: string | null;
  reopened_at: number | null;
  merged_into: string | null;
  /** JSON array of StackFrame as protobuf JSON. */
  frames: string;
}

export const crashGroupColumns = `id, project, target_name, kind, message, top_frame, security,
  count, hits, jobs, bots, builds, first_found_at, last_found_at, first_crash_id,
  reproducer_crash_id, status, note, status_set_by, status_set_at, fixed_in_sha256, reopened_at,
  merged_into, frames`;

/** A group on one build of its target. */
export interface GroupBuildRow {
  target_sha256: string;
  first_met_at: number | null;
  last_met_at: number | null;
  hits: number;
  verified_at: number | null;
  verified_crashes: 0 | 1 | null;
}

/** A merge or a split, as people decided it. */
export interface CrashDecisionRow {
  id: string;
  kind: 'merge' | 'split';
  project: string;
  target_name: string;
  group_id: string;
  to_group_id: string;
  crashes: number;
  decided_by: string;
  decided_at: number;
  undone_at: number | null;
}

export const crashDecisionColumns = `id, kind, project, target_name, group_id, to_group_id,
  crashes, decided_by, decided_at, undone_at`;
