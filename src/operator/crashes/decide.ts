import { unary } from '../../client/call.js';
import type { Connection } from '../../client/connect.js';
import { UserError } from '../../core/errors.js';
import { CrashDecision, CrashGroup, CrashGroupStatus } from '../../gen/pandafuzz/v1/crash.js';
import { eachOf } from '../each.js';
import { plain } from '../format.js';
import { findId } from '../ids.js';
import { type ListFlags, showListing } from '../listing.js';
import { decisionPages } from '../lists.js';
import { print } from '../output.js';
import { asking, type Flags } from '../session.js';
import type { CallOptions } from '../submit.js';
import { whoDecides } from '../who.js';
import { groupStatusOf } from '../words.js';
import { many, titleOf } from './describe.js';
import { decisionTable, groupTable } from './tables.js';

/** `pandafuzz crash merge`, `split`, `undo`, `decisions` and `status`. */

type DeciderFlags = Flags & { by?: string };

/** The contract's SetCrashGroupStatus, for each of some groups. */
export function setStatus(
  flags: DeciderFlags & { note?: string; fixedIn?: string },
  groupTexts: readonly string[],
  statusText: string | undefined,
): Promise<number> {
  const status =
    (statusText === undefined ? undefined : groupStatusOf(statusText)) ??
    CrashGroupStatus.UNSPECIFIED;
  return asking(flags, async (connection, options) => {
    const { crashes } = connection;
    const groups: CrashGroup[] = [];
    const refused = await eachOf(groupTexts, connection.address, async (text) => {
      const groupId = await findId(connection, text, 'crash group', options);
      const request = {
        groupId,
        status,
        note: flags.note,
        by: whoDecides(flags.by),
        fixedInSha256: flags.fixedIn ?? '',
      };
      const { group } = await unary(crashes, crashes.setCrashGroupStatus, request, options);
      if (group) groups.push(group);
    });
    print(flags, {
      json: () => ({ groups: groups.map(CrashGroup.toJSON) }),
      text: () => groupsOrNothing(groups),
    });
    return refused > 0 ? 1 : 0;
  });
}

const groupsOrNothing = (groups: readonly CrashGroup[]) =>
  groups.length > 0 ? groupTable(groups, Date.now()) : 'no group was changed';

export function mergeGroups(
  flags: DeciderFlags & { into: string },
  groupTexts: readonly string[],
): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { crashes } = connection;
    const intoGroupId = await findId(connection, flags.into, 'crash group', options);
    const groupIds = await findEach(connection, groupTexts, 'crash group', options);
    const request = { groupIds, intoGroupId, by: whoDecides(flags.by) };
    const answer = await unary(crashes, crashes.mergeCrashGroups, request, options);
    printDecided(flags, answer.group, answer.decisions);
  });
}

export function splitGroup(
  flags: DeciderFlags,
  groupText: string,
  crashTexts: readonly string[],
): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { crashes } = connection;
    const groupId = await findId(connection, groupText, 'crash group', options);
    const crashIds = await findEach(connection, crashTexts, 'crash', options);
    const request = { groupId, crashIds, by: whoDecides(flags.by) };
    const answer = await unary(crashes, crashes.splitCrashGroup, request, options);
    printDecided(flags, answer.group, answer.decision ? [answer.decision] : []);
  });
}

async function findEach(
  connection: Connection,
  texts: readonly string[],
  resource: 'crash' | 'crash group',
  options: CallOptions,
): Promise<string[]> {
  const ids: string[] = [];
  for (const text of texts) ids.push(await findId(connection, text, resource, options));
  return ids;
}

function printDecided(
  flags: Flags,
  group: CrashGroup | undefined,
  decisions: readonly CrashDecision[],
): void {
  if (!group) throw new UserError('the master sent no group');
  print(flags, {
    json: () => ({
      group: CrashGroup.toJSON(group),
      decisions: decisions.map(CrashDecision.toJSON),
    }),
    text: () =>
      [
        groupTable([group], Date.now()),
        '',
        ...decisions.map(({ id }) => `to undo it: pandafuzz crash undo ${id}`),
      ].join('\n'),
  });
}

export function undoDecision(flags: DeciderFlags, text: string): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { crashes } = connection;
    const decisionId = await findId(connection, text, 'decision', options);
    const request = { decisionId, by: whoDecides(flags.by) };
    const { decision } = await unary(crashes, crashes.undoCrashDecision, request, options);
    if (!decision) throw new UserError('the master sent no decision');
    const { groupId } = decision;
    const { group } = await unary(crashes, crashes.getCrashGroup, { groupId }, options);
    print(flags, {
      json: () => CrashDecision.toJSON(decision),
      text: () =>
        plain(
          `undone: ${many(decision.crashes, 'crash', 'crashes')} went back to ${groupId}${group ? `, ${titleOf(group)}` : ''}`,
        ),
    });
  });
}

export function showDecisions(
  flags: Flags & ListFlags & { group?: string; since?: Date },
): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { group, since } = flags;
    const groupId =
      group === undefined ? '' : await findId(connection, group, 'crash group', options);
    await showListing(flags, {
      items: 'decisions',
      first: 'newest',
      read: decisionPages(connection, groupId, options),
      ...(since && { passes: ({ at }: CrashDecision) => (at ?? since) >= since }),
      sorts: {},
      toJson: CrashDecision.toJSON,
      text: (decisions, width) => decisionTable(decisions, Date.now(), width),
    });
  });
}
