import { Crash, CrashGroup } from '../../gen/pandafuzz/v1/crash.js';
import { GroupBuild } from '../../gen/pandafuzz/v1/crash_service.js';
import { findId } from '../ids.js';
import { listCrashes, listCrashGroups } from '../lists.js';
import { print } from '../output.js';
import { asking, type Flags } from '../session.js';
import { details } from './details.js';
import { type Dossier, findDossier } from './dossier.js';
import { type GroupFlags, groupFilter, isOpen } from './filter.js';
import { crashTable, groupTable } from './tables.js';

/** `pandafuzz crash list` and `crash get`. */

/** The groups; with a group or a job, the single crashes. */
export function showCrashes(
  flags: Flags & GroupFlags & { limit: number; group?: string; job?: string },
): Promise<void> {
  const isOfCrashes = flags.group !== undefined || flags.job !== undefined;
  return isOfCrashes ? showSingleCrashes(flags) : showGroups(flags);
}

function showGroups(flags: Flags & GroupFlags & { limit: number }): Promise<void> {
  const { limit } = flags;
  const filter = groupFilter(flags);
  return asking(flags, async (connection, options) => {
    const found = await listCrashGroups(connection, { ...filter, limit: limit + 1 }, options);
    const groups = found.slice(0, limit);
    print(flags.json, {
      json: () => ({ groups: groups.map(CrashGroup.toJSON) }),
      text: () =>
        groups.length > 0
          ? groupTable(groups, Date.now())
          : `no crashes${isOpen(flags) ? '' : ' that match'}`,
    });
    if (found.length > limit) noteMore(limit);
  });
}

function showSingleCrashes(
  flags: Flags & { limit: number; group?: string; job?: string },
): Promise<void> {
  const { limit, group, job } = flags;
  return asking(flags, async (connection, options) => {
    const groupId =
      group === undefined ? '' : await findId(connection, group, 'crash group', options);
    const jobId = job === undefined ? '' : await findId(connection, job, 'job', options);
    const found = await listCrashes(connection, { groupId, jobId, limit: limit + 1 }, options);
    const crashes = found.slice(0, limit);
    print(flags.json, {
      json: () => ({ crashes: crashes.map(Crash.toJSON) }),
      text: () => crashTable(crashes, Date.now()),
    });
    if (found.length > limit) noteMore(limit);
  });
}

const noteMore = (limit: number) =>
  void process.stderr.write(`these are the newest ${limit}: --limit shows more\n`);

/** By the id of a crash, or of a group. */
export function showCrash(flags: Flags, id: string): Promise<void> {
  return asking(flags, async (connection, options) => {
    const dossier = await findDossier(connection, id, options);
    print(flags.json, {
      json: () => dossierJson(dossier),
      text: () => details(dossier, Date.now()),
    });
  });
}

/** In protobuf's own JSON form. */
export const dossierJson = ({ group, crash, similar, builds }: Dossier) => ({
  group: CrashGroup.toJSON(group),
  crash: Crash.toJSON(crash),
  similar: similar.map(CrashGroup.toJSON),
  builds: builds.map(GroupBuild.toJSON),
});
