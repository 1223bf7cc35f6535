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
