import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { UserError } from '../../core/errors.js';
import type { Crash, CrashGroup } from '../../gen/pandafuzz/v1/crash.js';
import type { GetCrashGroupResponse, GroupBuild } from '../../gen/pandafuzz/v1/crash_service.js';
import { findCrashOrGroup } from '../ids.js';
import { complain } from '../output.js';
import type { CallOptions } from '../submit.js';

/** Everything there is about one crash: itself with its report, and its group. */
export interface Dossier {
  readonly group: CrashGroup;
  /** Of a group that was asked for: the one to begin with. */
  readonly crash: Crash;
  /** Groups that may have the same cause. */
  readonly similar: readonly CrashGroup[];
  readonly builds: readonly GroupBuild[];
}

/**
 * By the id of a crash or of a group, or its beginning.
 *
 * @throws UserError when there is none
 */
export async function findDossier(
  connection: Connection,
  text: string,
  options: CallOptions,
): Promise<Dossier> {
  const { id, resource } = await findCrashOrGroup(connection, text, options);
  if (resource === 'crash group') return groupDossier(connection, id, options);
  const crash = await crashOf(connection, id, options);
  return { ...(await standingGroup(connection, crash.groupId, options)), crash };
}

/** With the crash to begin with: the smallest that reproduces. */
export async function groupDossier(
  connection: Connection,
  groupId: string,
  options: CallOptions,
): Promise<Dossier> {
  const whole = await standingGroup(connection, groupId, options);
  const { reproducerCrashId, firstCrashId } = whole.group;
  const crash = await crashOf(connection, reproducerCrashId || firstCrashId, options);
  return { ...whole, crash };
}

type WholeGroup = Omit<GetCrashGroupResponse, 'group'> & { group: CrashGroup };

/** A group, or the one that it went into, and a line that names it then. */
export async function standingGroup(
  connection: Connection,
  groupId: string,
  options: CallOptions,
): Promise<WholeGroup> {
  let whole = await wholeGroup(connection, groupId, options);
  if (whole.group.mergedInto === '') return whole;
  while (whole.group.mergedInto !== '') {
    whole = await wholeGroup(connection, whole.group.mergedInto, options);
  }
  complain(`the group ${groupId} was merged into ${whole.group.id}`);
  return whole;
}

async function wholeGroup(
  { crashes }: Connection,
  groupId: string,
  options: CallOptions,
): Promise<WholeGroup> {
  const { group, ...more } = await unary(crashes, crashes.getCrashGroup, { groupId }, options);
  if (!group) throw new UserError('the master sent no group');
  return { group, ...more };
}

export async function crashOf(
  { crashes }: Connection,
  crashId: string,
  options: CallOptions,
): Promise<Crash> {
  const { crash } = await unary(crashes, crashes.getCrash, { crashId }, options);
  if (!crash) throw new UserError('the master sent no crash');
  return crash;
}
