import { secretsIn } from '../../core/secret-names.js';
import { JobKind, JobSpec } from '../../gen/pandafuzz/v1/job.js';
import type { Assignment, EarlierAttempts, Lease } from '../../gen/pandafuzz/v1/lease.js';
import type { ClaimedJob } from '../../store/rows.js';

/** A run that has lost its bot at its very end fuzzes for so long again, milliseconds. */
const leastFuzzingMs = 1000;

/** Fuzzing that is left of a job's limit, milliseconds; undefined: it has none. */
export function fuzzingLeftMs({
  fuzz_within_ms,
  spent_ms = 0,
}: Pick<ClaimedJob, 'fuzz_within_ms' | 'spent_ms'>): number | undefined {
  if (fuzz_within_ms == null) return undefined;
  return Math.max(fuzz_within_ms - spent_ms, leastFuzzingMs);
}

/** A claimed job as its bot gets it: with what earlier attempts have left of its limits. */
export function assignmentOf(job: ClaimedJob, ttlMs: number): Assignment {
  const lease: Lease = { jobId: job.id, attempt: job.attempt, fence: job.fence };
  const spec = JobSpec.fromJSON(JSON.parse(job.spec));
  const { limits } = spec;
  const assigned = { lease, spec, ttlMs, secrets: {} };
  if (!limits || spec.kind !== JobKind.UNSPECIFIED) return assigned;
  const leftMs = fuzzingLeftMs(job);
  if (leftMs !== undefined) limits.maxDurationSeconds = Math.ceil(leftMs / 1000);
  const known = job.known_inputs ?? [];
  if (limits.maxCrashes === 0 || known.length === 0) return assigned;
  limits.maxCrashes = Math.max(limits.maxCrashes - known.length, 1);
  const earlier: EarlierAttempts = { crashInputs: [...known] };
  return { ...assigned, earlier };
}

/** Secrets of jobs (access/secrets.ts). */
export interface Revealing {
  reveal(
    project: string,
    environment: Readonly<Record<string, string>>,
  ): { readonly values: Readonly<Record<string, string>> } | { readonly problem: string };
}

/**
 * Puts the values of the secrets that the job names into its assignment.
 *
 * @param isPrivate whether nobody on the way can read what the bot is sent
 * @returns why the bot cannot have them, if so
 */
export function revealIn(
  assignment: Assignment,
  secrets: Revealing,
  isPrivate: boolean,
): string | undefined {
  const { project = '', environment = {} } = assignment.spec ?? {};
  if (secretsIn(environment).length === 0) return undefined;
  if (!isPrivate) return notPrivate;
  const revealed = secrets.reveal(project, environment);
  if ('problem' in revealed) return revealed.problem;
  assignment.secrets = { ...revealed.values };
  return undefined;
}

const notPrivate =
  'the job has secrets, which bots get over TLS alone, or on the machine of the master: set tls.cert and --ca of the bot';
