import { UserError } from '../../core/errors.js';
import { Crash, CrashGroup } from '../../gen/pandafuzz/v1/crash.js';
import { GroupBuild } from '../../gen/pandafuzz/v1/crash_service.js';
import { usage } from '../exit-codes.js';
import { findId } from '../ids.js';
import { type ListFlags, showListing } from '../listing.js';
import { crashPages, groupPages } from '../lists.js';
import { print } from '../output.js';
import { asking, type Flags } from '../session.js';
import { crashSorts, groupSorts } from '../sorts.js';
import { details } from './details.js';
import { type Dossier, findDossier } from './dossier.js';
import { type GroupFlags, groupFilter, isOpen } from './filter.js';
import { crashTable, groupTable } from './tables.js';

/** `pandafuzz crash list` and `crash get`. */

type CrashListFlags = Flags & ListFlags & GroupFlags & { group?: string; job?: string };

/** The groups; with a group or a job, the single crashes. */
export function showCrashes(flags: CrashListFlags): Promise<void> {
  const isOfCrashes = flags.group !== undefined || flags.job !== undefined;
  return isOfCrashes ? showSingleCrashes(flags) : showGroups(flags);
}

function showGroups(flags: Flags & ListFlags & GroupFlags): Promise<void> {
  const filter = groupFilter(flags);
  return asking(flags, (connection, options) =>
    showListing(flags, {
      items: 'groups',
      first: 'newest',
      read: groupPages(connection, filter, options),
      sorts: groupSorts,
      toJson: CrashGroup.toJSON,
      text: (groups, width) =>
        groups.length > 0
          ? groupTable(groups, Date.now(), { width })
          : `no crashes${isOpen(flags) ? '' : ' that match'}`,
    }),
  );
}

function showSingleCrashes(flags: CrashListFlags): Promise<void> {
  const { sort, group, job } = flags;
  if (sort !== undefined && !Object.hasOwn(crashSorts, sort)) {
    const sorts = Object.keys(crashSorts).join(', ');
    throw new UserError(`single crashes have no ${sort} to sort by: there are ${sorts}`, usage);
  }
  return asking(flags, async (connection, options) => {
    const groupId =
      group === undefined ? '' : await findId(connection, group, 'crash group', options);
    const jobId = job === undefined ? '' : await findId(connection, job, 'job', options);
    await showListing(flags, {
      items: 'crashes',
      first: 'newest',
      read: crashPages(connection, { groupId, jobId }, options),
      sorts: crashSorts,
      toJson: Crash.toJSON,
      text: (crashes, width) => crashTable(crashes, Date.now(), width),
    });
  });
}

/** By the id of a crash, or of a group. */
export function showCrash(flags: Flags, id: string): Promise<void> {
  return asking(flags, async (connection, options) => {
    const dossier = await findDossier(connection, id, options);
    print(flags, {
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
