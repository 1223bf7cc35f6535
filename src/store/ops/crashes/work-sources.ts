import { NotFoundError, PreconditionError } from '../../../core/errors.js';
import type { GroupStatusName } from '../../crash-rows.js';
import { readOperation } from '../../operation.js';
import { all, one, type Steps, statement } from '../../statement.js';
import { programName } from '../targets/find-uses.js';
import { groupRow, standInFor } from './group-rows.js';

/** A crash, and the job that found it: how its input is run. */
export interface CrashToRun {
  crashId: string;
  kind: string;
  topFrame: string;
  inputSha256: string;
  inputSizeBytes: number;
  minimisedFrom: string | null;
  project: string;
  targetName: string;
  targetSha256: string;
  /** The bot that found it. */
  botId: string;
  /** JobSpec of its job as protobuf JSON. */
  spec: string;
  status: GroupStatusName;
}

/** The input of a group to begin with. */
export interface Reproducer {
  groupId: string;
  crashId: string;
  inputSha256: string;
  inputSizeBytes: number;
}

/** A build with the inputs to try on it. */
export interface BuildToVerify {
  reproducers: Reproducer[];
  /** JobSpec of the build's first job, or else of a job that found one of the crashes. */
  spec: string;
  /** Later groups begin after this one; undefined when there are no more. */
  nextAfterGroupId: string | undefined;
}

export interface Build {
  project: string;
  targetName: string;
  targetSha256: string;
}

const crash = statement<{ id: string }, CrashToRun>(`
  SELECT crashes.id AS "crashId", crashes.kind, crashes.top_frame AS "topFrame",
    input_sha256 AS "inputSha256", input_size_bytes AS "inputSizeBytes",
    minimised_from AS "minimisedFrom", crashes.project, crashes.target_name AS "targetName",
    crashes.target_sha256 AS "targetSha256", crashes.bot_id AS "botId", spec, status
  FROM crashes
    JOIN jobs ON jobs.id = crashes.job_id
    JOIN crash_groups ON crash_groups.id = crashes.group_id
  WHERE crashes.id = @id`);
const isGroup = statement<{ id: string }, unknown>('SELECT 1 FROM crash_groups WHERE id = @id');
const reproducers = statement<Build & { afterGroupId: string; limit: number }, Reproducer>(`
  SELECT crash_groups.id AS "groupId", crashes.id AS "crashId", input_sha256 AS "inputSha256",
    input_size_bytes AS "inputSizeBytes"
  FROM crash_groups JOIN crashes ON crashes.id = reproducer_crash_id
  WHERE crash_groups.project = @project AND crash_groups.target_name = @targetName
    AND merged_into IS NULL AND crash_groups.id > @afterGroupId AND status <> 'ignored'
  ORDER BY crash_groups.id LIMIT @limit`);
const specOfBuild = statement<Build, { spec: string }>(`
  SELECT spec FROM target_builds JOIN jobs ON jobs.id = first_job_id
  WHERE target_builds.project = @project AND target_builds.target_name = @targetName
    AND target_builds.target_sha256 = @targetSha256`);

/** The crash, by its id. */
export function* crashToRun(id: string): Steps<CrashToRun | undefined> {
  return yield* one(crash, { id });
}

/** Up to `limit` inputs to try on a build, of groups after `afterGroupId`; undefined when there are none. */
export function* buildToVerify(
  build: Build,
  { afterGroupId, limit }: { afterGroupId: string; limit: number },
): Steps<BuildToVerify | undefined> {
  const found = yield* all(reproducers, { ...build, afterGroupId, limit: limit + 1 });
  const [first] = found;
  if (!first) return undefined;
  const shown = found.slice(0, limit);
  const own = yield* one(specOfBuild, build);
  const spec = own?.spec ?? (yield* one(crash, { id: first.crashId }))?.spec ?? '{}';
  const isMore = found.length > limit;
  return { reproducers: shown, spec, nextAfterGroupId: isMore ? shown.at(-1)?.groupId : undefined };
}

/**
 * The crash of an id: its own, or that of a group, whose reproducer is meant.
 *
 * @throws NotFoundError
 */
export const findCrashToRun = readOperation(
  'find_crash_to_run',
  function* (id: string): Steps<CrashToRun> {
    const own = yield* one(crash, { id });
    if (own) return own;
    if (!(yield* one(isGroup, { id }))) {
      throw new NotFoundError({ resource: 'crash or crash group', id });
    }
    const group = yield* groupRow(yield* standInFor(id));
    return (yield* one(crash, { id: group.reproducer_crash_id })) as CrashToRun;
  },
);

/**
 * What to try on a build, of a target whose name may be the artifact's.
 *
 * @throws NotFoundError for a target that was never uploaded
 * @throws PreconditionError NOTHING_TO_VERIFY
 */
export const findBuildToVerify = readOperation(
  'find_build_to_verify',
  function* (input: Build & { limit: number }): Steps<BuildToVerify & Pick<Build, 'targetName'>> {
    const uploadedName = yield* programName(input.targetSha256);
    if (uploadedName === undefined) {
      throw new NotFoundError({ resource: 'target', id: input.targetSha256 });
    }
    const targetName = input.targetName || uploadedName;
    const page = { afterGroupId: '', limit: input.limit };
    const found = yield* buildToVerify({ ...input, targetName }, page);
    if (found) return { ...found, targetName };
    const why = 'no crash group of this target has an input to try: name its project and target';
    throw new PreconditionError({ reason: 'NOTHING_TO_VERIFY', why });
  },
);
