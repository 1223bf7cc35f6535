import { one, run, type Step, type Steps, statement } from '../../statement.js';
import { addBuild as addToTarget, type NewBuild } from '../targets/add-build.js';

interface Build {
  project: string;
  targetName: string;
  targetSha256: string;
}

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

/** Truthy when the target has had the build before. */
export const isKnownBuild = (build: Build): Step<unknown> => one(knownBuild, build);

/**
 * Notes the build of a new job. One that is new to its target becomes the target's newest, and
 * is to be verified if the target has crash groups.
 *
 * @returns whether it is new
 */
export function* noteBuild(job: NewBuild & { id: string }): Steps<boolean> {
  if (yield* isKnownBuild(job)) return false;
  yield* addToTarget(job);
  if ((yield* run(addBuild, job)) === 0) return false;
  yield* run(verify, job);
  return true;
}
