import { QuotaError } from '../../../core/errors.js';
import { one, run, type Step, type Steps, statement } from '../../statement.js';
import { type GroupKey, knownGroup } from './new-group.js';

/** What is kept of one job's crashes, late ones included. */
export interface CrashLimits {
  readonly crashes: number;
  readonly bytes: number;
}

/** Beyond the limits, so much of them again is for groups that the job has not met. */
const shareOfNewGroups = 1 / 4;

const select = statement<{ jobId: string }, { crashes_kept: number; crash_bytes_kept: number }>(
  'SELECT crashes_kept, crash_bytes_kept FROM jobs WHERE id = @jobId',
);
const add = statement<{ jobId: string; sizeBytes: number }>(`
  UPDATE jobs SET crashes_kept = crashes_kept + 1, crash_bytes_kept = crash_bytes_kept + @sizeBytes
  WHERE id = @jobId`);
const ofGroup = statement<{ jobId: string; groupId: string }, { id: string; late: 0 | 1 }>(`
  SELECT id, late FROM crashes WHERE job_id = @jobId AND group_id = @groupId
  ORDER BY id LIMIT 1`);
const hitsOf = statement<{ crashId: string; fence: number }, { hits: number }>(
  'SELECT hits FROM crash_hits WHERE crash_id = @crashId AND fence = @fence',
);

/** A crash of a job that has as many as are kept, and that is counted with another one. */
export interface Sibling {
  readonly crashId: string;
  readonly groupId: string;
  readonly late: 0 | 1;
  /** Hits of the sibling in this attempt so far. */
  readonly hits: number;
}

/** How full a job is: `full` counts with siblings, `over` takes nothing more. */
export function* fullnessOf(
  jobId: string,
  sizeBytes: number,
  limits: CrashLimits,
): Steps<'free' | 'full' | 'over'> {
  const kept = yield* one(select, { jobId });
  if (!kept) return 'free';
  const is = (share: number) =>
    kept.crashes_kept >= limits.crashes * share ||
    kept.crash_bytes_kept + sizeBytes > limits.bytes * share;
  if (is(1 + shareOfNewGroups)) return 'over';
  return is(1) ? 'full' : 'free';
}

/** The job's first crash of the same group; undefined: it has met none. */
export function* siblingOf(
  key: GroupKey,
  { jobId, fence }: { jobId: string; fence: number },
): Steps<Sibling | undefined> {
  const groupId = yield* knownGroup(key);
  const sibling = groupId && (yield* one(ofGroup, { jobId, groupId }));
  if (!sibling) return undefined;
  const { id: crashId, late } = sibling;
  const hits = (yield* one(hitsOf, { crashId, fence }))?.hits ?? 0;
  return { crashId, groupId, late, hits };
}

export const countKept = (jobId: string, sizeBytes: number): Step<number> =>
  run(add, { jobId, sizeBytes });

export function tooMany({ crashes, bytes }: CrashLimits): QuotaError {
  return new QuotaError({
    subject: 'limits.max_crashes_per_job',
    why: `the job has as many crashes as are kept (limits.max_crashes_per_job: ${crashes}, max_crash_bytes_per_job: ${bytes}): fix or pass over what crashes so often, and go on with a new job`,
  });
}
