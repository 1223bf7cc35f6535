import type { CrashGroupRow, GroupStatusName } from '../../crash-rows.js';
import { writeOperation } from '../../operation.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { recordEvent } from '../events/record-event.js';
import { groupRow, liveGroup } from './group-rows.js';

export interface SetGroupStatus {
  groupId: string;
  /** null: as it is. */
  status: GroupStatusName | null;
  /** null: as it is. */
  note: string | null;
  by: string;
  /** The build in which it no longer crashes; null: none is known. */
  fixedIn: string | null;
  now: number;
}

interface Judged {
  groupId: string;
  status: GroupStatusName;
  note: string;
  by: string;
  fixedIn: string | null;
  reopensFrom: number | null;
  now: number;
}

const builtAt = statement<{ sha256: string }, { created_at: number }>(
  'SELECT created_at FROM artifacts WHERE sha256 = @sha256',
);
const lastBad = statement<{ groupId: string }, { built_at: number }>(`
  SELECT built_at FROM group_builds WHERE group_id = @groupId AND hits > 0
  ORDER BY built_at DESC LIMIT 1`);
const update = statement<Judged>(`
  UPDATE crash_groups SET status = @status, note = @note, status_set_by = @by,
    status_set_at = @now, fixed_in_sha256 = @fixedIn, reopens_from = @reopensFrom
  WHERE id = @groupId`);
const annotate = statement<Pick<Judged, 'groupId' | 'note' | 'by' | 'now'>>(`
  UPDATE crash_groups SET note = @note, status_set_by = @by, status_set_at = @now
  WHERE id = @groupId`);

/**
 * Sets what people make of a group, and why.
 *
 * @throws NotFoundError, PreconditionError MERGED
 */
export const setGroupStatus = writeOperation(
  'set_crash_group_status',
  'work',
  function* (input: SetGroupStatus): Steps<CrashGroupRow> {
    const group = yield* liveGroup(input.groupId);
    const { groupId, status, by, fixedIn, now } = input;
    const note = input.note ?? group.note;
    if (status === null) {
      yield* run(annotate, { groupId, note, by, now });
    } else {
      const reopensFrom = status === 'fixed' ? yield* reopensSince(groupId, fixedIn) : null;
      yield* run(update, { groupId, status, note, by, fixedIn, reopensFrom, now });
    }
    yield* recordEvent(now, 'crash_group.status', groupId, { status: status ?? group.status, by });
    if (status === 'fixed' && group.status !== 'fixed') {
      yield* recordEvent(now, 'crash_group.fixed', groupId, { fixedIn, by });
    }
    return yield* groupRow(groupId);
  },
);

/**
 * From when on uploaded builds must not crash into a fixed group: from the build it was
 * fixed in, or else after the newest that met it. null: that build is not known here.
 */
export function* reopensSince(groupId: string, fixedIn: string | null): Steps<number | null> {
  if (fixedIn !== null) return (yield* one(builtAt, { sha256: fixedIn }))?.created_at ?? null;
  const newest = yield* one(lastBad, { groupId });
  return newest ? newest.built_at + 1 : null;
}
