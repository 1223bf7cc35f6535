import { writeOperation } from '../../operation.js';
import type { CrashWorkKind } from '../../rows.js';
import { forUpdate } from '../../sql.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { type CreateJobInput, type MadeJob, queueJob } from '../jobs/create-job.js';

/** Work on crashes whose job is made. */
export interface MakeCrashWork {
  /** The row that waits for it; null: nobody has wished for it before. */
  workId: number | null;
  kind: CrashWorkKind;
  /** Of "reproduce" and "minimise". */
  crashId: string | null;
  /** Of "verify": groups up to this one are the work of earlier jobs. */
  afterGroupId: string;
  /** Of "verify", when there are more groups than the job tries: they begin after this one. */
  nextAfterGroupId: string | null;
  job: CreateJobInput;
}

interface NewWork {
  kind: CrashWorkKind;
  project: string;
  targetName: string;
  targetSha256: string | null;
  afterGroupId: string;
  crashId: string | null;
  jobId: string | null;
}

const waits = statement<{ workId: number | null }, unknown>(
  `SELECT 1 FROM crash_work WHERE id = @workId AND job_id IS NULL ${forUpdate()}`,
);
const made = statement<{ workId: number; jobId: string }>(
  'UPDATE crash_work SET job_id = @jobId WHERE id = @workId',
);
const insert = statement<NewWork>(`
  INSERT INTO crash_work (kind, project, target_name, target_sha256, after_group_id, crash_id,
    job_id)
  VALUES (@kind, @project, @targetName, @targetSha256, @afterGroupId, @crashId, @jobId)`);

/**
 * Makes the job of work on crashes. Throws as `createJob` does.
 *
 * @returns undefined when the row does not wait any more
 */
export const makeCrashWork = writeOperation(
  'make_crash_work',
  'work',
  function* (input: MakeCrashWork): Steps<MadeJob | undefined> {
    const { workId, kind, crashId, afterGroupId, nextAfterGroupId, job } = input;
    if (workId !== null && !(yield* one(waits, { workId }))) return undefined;
    const queued = yield* queueJob(job);
    const { project, targetSha256 } = job;
    const row: NewWork = {
      kind,
      crashId,
      project,
      targetName: queued.targetName,
      afterGroupId,
      targetSha256: kind === 'verify' ? targetSha256 : null,
      jobId: job.id,
    };
    if (workId === null) yield* run(insert, row);
    else yield* run(made, { workId, jobId: job.id });
    if (nextAfterGroupId !== null) {
      yield* run(insert, { ...row, afterGroupId: nextAfterGroupId, jobId: null });
    }
    return queued;
  },
);
