import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { isNotFound } from '../client/failure.js';
import { type CrashGroup, CrashGroupStatus } from '../gen/pandafuzz/v1/crash.js';
import type { GroupBuild } from '../gen/pandafuzz/v1/crash_service.js';
import { type Dossier, groupDossier } from '../operator/crashes/dossier.js';
import { eachCrashGroup, listCrashes } from '../operator/lists.js';
import type { CallOptions } from '../operator/submit.js';

/** What the jobs of one CI run had in common. */
export interface CiJobs {
  readonly project: string;
  readonly targetName: string;
  readonly targetSha256: string;
  readonly campaign: string;
  /** Whether all builds of the campaign are of one change. */
  readonly isChange: boolean;
  /** By the master's clock. */
  readonly createdAt: Date;
}

/** A group that the build met in this run. */
export interface MetGroup {
  readonly dossier: Dossier;
  /** Why it does not count; undefined: it is new in this build. */
  readonly known: string | undefined;
}

const mostCrashes = 1000;

/**
 * Groups that the build met in this run. One counts as new
 *
 * - if a CI run of this campaign was the first to meet it, or the first since it was fixed: what
 *   others met before, is no matter of this build, even if they did with the same build;
 * - and if no other build met it since; in the campaign of one change its other builds may have.
 */
export async function* metGroups(
  connection: Connection,
  jobs: CiJobs,
  options: CallOptions,
): AsyncGenerator<MetGroup> {
  const { project, targetName, createdAt } = jobs;
  const filter = { project, targetName, since: createdAt };
  for await (const { id } of eachCrashGroup(connection, filter, options)) {
    const dossier = await groupDossier(connection, id, options);
    const { group, builds } = dossier;
    const own = builds.find(({ targetSha256 }) => targetSha256 === jobs.targetSha256);
    if (!own?.lastMetAt || own.lastMetAt < createdAt) continue;
    const known =
      judgement(group) ??
      (jobs.isChange ? undefined : otherBuild(group, builds, jobs.targetSha256)) ??
      (await otherFinder(connection, group, jobs.campaign, options));
    yield { dossier, known };
  }
}

function judgement({ status }: CrashGroup): string | undefined {
  if (status === CrashGroupStatus.WONT_FIX) return "people decided: won't fix";
  if (status === CrashGroupStatus.IGNORED) return 'people decided to ignore it';
  return undefined;
}

function otherBuild(
  { reopenedAt }: CrashGroup,
  builds: readonly GroupBuild[],
  targetSha256: string,
): string | undefined {
  const since = reopenedAt?.getTime() ?? 0;
  const isMet = ({ lastMetAt, crashes, verifiedAt }: GroupBuild) =>
    (lastMetAt !== undefined && lastMetAt.getTime() >= since) ||
    (crashes && verifiedAt !== undefined && verifiedAt.getTime() >= since);
  const other = builds.find((build) => build.targetSha256 !== targetSha256 && isMet(build));
  return other && `build ${other.targetSha256.slice(0, 16)} has it, too`;
}

/** Whether somebody else than this campaign met it first. */
async function otherFinder(
  connection: Connection,
  group: CrashGroup,
  campaign: string,
  options: CallOptions,
): Promise<string | undefined> {
  const { jobs } = connection;
  try {
    const first = await firstCrash(connection, group, options);
    // It came back with inputs that are not kept: the builds have decided.
    if (first === undefined) return undefined;
    const { job } = await unary(jobs, jobs.getJob, { jobId: first.jobId }, options);
    return job?.spec?.campaign === campaign ? undefined : `job ${first.jobId} met it before`;
  } catch (error) {
    // Its job is so old that it was deleted.
    if (isNotFound(error)) return 'it was known before';
    throw error;
  }
}

/** Its first, or of those that are kept the first since it was fixed. */
async function firstCrash(connection: Connection, group: CrashGroup, options: CallOptions) {
  const { crashes } = connection;
  const { id: groupId, reopenedAt, firstCrashId: crashId } = group;
  if (!reopenedAt) return (await unary(crashes, crashes.getCrash, { crashId }, options)).crash;
  const filter = { groupId, jobId: '', limit: mostCrashes };
  const newest = await listCrashes(connection, filter, options);
  return newest.filter(({ foundAt }) => foundAt !== undefined && foundAt >= reopenedAt).at(-1);
}
