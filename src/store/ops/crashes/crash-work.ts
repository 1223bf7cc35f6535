import type { JobKindName } from '../../rows.js';
import { run, type Steps, statement } from '../../statement.js';

/*
 * Work on crashes that is to be done is a row of `crash_work`, made in the transaction of
 * its cause. So a restart loses none, and what waits is known without a look at all groups.
 */

/** Where the crash of a wish was found. */
interface Cause {
  readonly project: string;
  readonly target_name: string;
  readonly job_kind: JobKindName;
}

interface Wish {
  kind: 'reproduce' | 'minimise';
  crashId: string;
  project: string;
  targetName: string;
}

const wish = statement<Wish>(`
  INSERT INTO crash_work (kind, project, target_name, crash_id)
  SELECT @kind, @project, @targetName, @crashId
  WHERE NOT EXISTS (SELECT 1 FROM crash_work WHERE crash_id = @crashId AND kind = @kind)`);

/**
 * Notes that a crash is to be run again, unless that is noted already. Crashes that work on
 * others has found are left alone: one that is never the same twice would make work without end.
 */
export function* wantReproduction(crashId: string, cause: Cause): Steps<void> {
  if (cause.job_kind !== 'fuzz') return;
  const { project, target_name: targetName } = cause;
  yield* run(wish, { kind: 'reproduce', crashId, project, targetName });
}

/** Notes that a crash is to be made smaller, unless that is noted already. */
export function* wantMinimising(crashId: string, cause: Omit<Cause, 'job_kind'>): Steps<void> {
  const { project, target_name: targetName } = cause;
  yield* run(wish, { kind: 'minimise', crashId, project, targetName });
}
