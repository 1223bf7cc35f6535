import type { JobKindName } from '../../rows.js';
import { one, run, type Steps, statement } from '../../statement.js';

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

interface Build {
  project: string;
  targetName: string;
  targetSha256: string;
}

const wish = statement<Wish>(`
  INSERT INTO crash_work (kind, project, target_name, crash_id)
  SELECT @kind, @project, @targetName, @crashId
  WHERE NOT EXISTS (SELECT 1 FROM crash_work WHERE crash_id = @crashId AND kind = @kind)`);
const knownBuild = statement<Build, unknown>(`
  SELECT 1 FROM target_builds
  WHERE project = @project AND target_name = @targetName AND target_sha256 = @targetSha256`);
const addBuild = statement<Build & { id: string }>(`
  INSERT INTO target_builds (project, target_name, target_sha256, first_job_id)
  VALUES (@project, @targetName, @targetSha256, @id)
  ON CONFLICT DO NOTHING`);
const verify = statement<Build>(`
  INSERT INTO crash_work (kind, project, target_name, target_sha256)
  SELECT 'verify', @project, @targetName, @targetSha256
  WHERE EXISTS (SELECT 1 FROM crash_groups
    WHERE project = @project AND target_name = @targetName AND merged_into IS NULL)`);

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

/** Notes the build of a new job. One that is new to a target with crash groups is to be verified. */
export function* noteBuild(job: Build & { id: string }): Steps<void> {
  if (yield* one(knownBuild, job)) return;
  if ((yield* run(addBuild, job)) > 0) yield* run(verify, job);
}
