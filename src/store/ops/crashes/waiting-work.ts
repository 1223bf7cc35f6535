import { type Policy, policyOfCrash } from '../../campaign-policies.js';
import { pageOperation } from '../../operation.js';
import type { CrashWorkKind } from '../../rows.js';
import { all, one, type Steps, statement } from '../../statement.js';
import type { CrashTarget } from './regroup-reads.js';
import { type BuildToVerify, buildToVerify, type CrashToRun, crashToRun } from './work-sources.js';

interface WaitingRow {
  id: number;
  kind: CrashWorkKind;
  crashId: string | null;
  targetSha256: string | null;
  afterGroupId: string;
  tries: number;
}

/** Work that waits for its job, with what the job is made of. */
export interface WaitingWork extends WaitingRow {
  /** Of "reproduce" and "minimise"; undefined: there is no such crash. */
  crash: CrashToRun | undefined;
  /** Of "verify"; undefined: there is nothing to try. */
  build: BuildToVerify | undefined;
  /** Of the campaign that met the crash; undefined: as master.yaml has it. */
  policy: Policy;
}

export interface TargetWork extends CrashTarget {
  /** The oldest first, no more than the target may have under way. */
  work: WaitingWork[];
}

const nextTarget = statement<CrashTarget, CrashTarget>(`
  SELECT project, target_name AS "targetName" FROM crash_work
  WHERE job_id IS NULL AND (project, target_name) > (@project, @targetName)
  ORDER BY project, target_name LIMIT 1`);
const underWay = statement<CrashTarget & { limit: number }, { count: number }>(`
  SELECT count(*) AS count FROM (
    SELECT 1 FROM crash_work
    WHERE job_id IS NOT NULL AND project = @project AND target_name = @targetName
    LIMIT @limit) AS made`);
const waiting = statement<CrashTarget & { limit: number }, WaitingRow>(`
  SELECT id, kind, crash_id AS "crashId", target_sha256 AS "targetSha256",
    after_group_id AS "afterGroupId", tries
  FROM crash_work
  WHERE job_id IS NULL AND project = @project AND target_name = @targetName
  ORDER BY id LIMIT @limit`);

/** The work that waits of the next target that has some, in the order of projects and names. */
export const waitingWork = pageOperation(
  'list_waiting_crash_work',
  function* (input: {
    after: CrashTarget;
    /** Jobs that a target may have at once. */
    mostJobs: number;
    /** Inputs that a verification tries. */
    mostInputs: number;
  }): Steps<TargetWork | undefined> {
    const { after, mostJobs, mostInputs } = input;
    const target = yield* one(nextTarget, after);
    if (!target) return undefined;
    const made = (yield* one(underWay, { ...target, limit: mostJobs }))?.count ?? 0;
    const rows = yield* all(waiting, { ...target, limit: Math.max(mostJobs - made, 0) });
    const work: WaitingWork[] = [];
    for (const row of rows) {
      const { crashId, targetSha256, afterGroupId } = row;
      const crash = crashId === null ? undefined : yield* crashToRun(crashId);
      const page = { afterGroupId, limit: mostInputs };
      const build =
        targetSha256 === null ? undefined : yield* buildToVerify({ ...target, targetSha256 }, page);
      const { kind } = row;
      const policy =
        crashId === null || kind === 'verify' ? undefined : yield* policyOfCrash(crashId, kind);
      work.push({ ...row, crash, build, policy });
    }
    return { ...target, work };
  },
);
