import { NotFoundError } from '../../../core/errors.js';
import { readOperation } from '../../operation.js';
import type { JobKindName } from '../../rows.js';
import { flag } from '../../sql.js';
import { one, type Steps, statement } from '../../statement.js';

/** A lease, as a bot names it. */
export interface LeaseName {
  jobId: string;
  attempt: number;
  fence: number;
  /** The bot that names it, where it is known. */
  botId?: string | undefined;
}

/** The attempt in which a crash was found, with its job and build. */
export interface CrashSource {
  bot_id: string;
  project: string;
  target_name: string;
  target_sha256: string;
  job_created_at: number;
  built_at: number;
  /** Crashes of the job whose inputs are kept. */
  crashes_kept: number;
  crash_bytes_kept: number;
  /** Of the job. */
  job_kind: JobKindName;
  late: 0 | 1;
}

const select = statement<Required<LeaseName>, CrashSource>(`
  SELECT coalesce((SELECT id FROM bots WHERE id = @botId), attempts.bot_id) AS bot_id, project, target_name, target_sha256, jobs.created_at AS job_created_at,
    artifacts.created_at AS built_at, jobs.kind AS job_kind,
    crashes_kept, crash_bytes_kept,
    ${flag(`NOT EXISTS (SELECT 1 FROM leases WHERE job_id = @jobId AND fence = @fence
      AND (@botId = '' OR bot_id = @botId))`)} AS late
  FROM attempts
    JOIN jobs ON jobs.id = attempts.job_id
    JOIN artifacts ON artifacts.sha256 = jobs.target_sha256
  WHERE attempts.job_id = @jobId AND attempts.fence = @fence AND attempts.attempt = @attempt`);
const crash = statement<{ id: string }, { id: string }>('SELECT id FROM crashes WHERE id = @id');

/**
 * Late is what comes after the end of the lease, and from another bot than its own.
 *
 * @throws NotFoundError for a job, or an attempt of it, that never was
 */
export function* sourceOf({ botId = '', ...lease }: LeaseName): Steps<CrashSource> {
  const source = yield* one(select, { ...lease, botId });
  if (!source) throw new NotFoundError({ resource: 'attempt of this job', id: lease.jobId });
  return source;
}

/**
 * Where a crash comes from, looked up before its input is taken.
 *
 * @throws NotFoundError for an attempt or a crash that it names and that never was
 */
export const findSource = readOperation(
  'find_crash_source',
  function* (input: {
    lease: LeaseName;
    /** The crash it was made smaller from. */
    minimisedFrom: string | null;
  }): Steps<CrashSource> {
    const source = yield* sourceOf(input.lease);
    const { minimisedFrom: id } = input;
    if (id !== null && !(yield* one(crash, { id }))) {
      throw new NotFoundError({ resource: 'crash', id });
    }
    return source;
  },
);
