import { NotFoundError, PreconditionError } from '../../../core/errors.js';
import { type CrashGroupRow, crashGroupColumns } from '../../rows.js';
import { forUpdate } from '../../sql.js';
import { one, type Steps, statement } from '../../statement.js';

const select = statement<{ groupId: string }, CrashGroupRow>(
  `SELECT ${crashGroupColumns} FROM crash_groups WHERE id = @groupId`,
);
const lock = statement<{ groupId: string }, CrashGroupRow>(
  `SELECT ${crashGroupColumns} FROM crash_groups WHERE id = @groupId ${forUpdate()}`,
);

/** @throws NotFoundError */
export function* groupRow(groupId: string): Steps<CrashGroupRow> {
  const row = yield* one(select, { groupId });
  if (!row) throw new NotFoundError({ resource: 'crash group', id: groupId });
  return row;
}

/**
 * The row of a group that is to be changed, locked until the commit.
 *
 * @throws NotFoundError
 * @throws PreconditionError MERGED
 */
export function* liveGroup(groupId: string): Steps<CrashGroupRow> {
  const row = yield* one(lock, { groupId });
  if (!row) throw new NotFoundError({ resource: 'crash group', id: groupId });
  if (row.merged_into === null) return row;
  const into = yield* standsFor(row);
  const why = `this group was merged into ${into.id}: use that one, or undo the merge`;
  throw new PreconditionError({ reason: 'MERGED', why });
}

/** The group in which the crashes of a merged group are now. */
export function* standsFor(group: CrashGroupRow): Steps<CrashGroupRow> {
  let row = group;
  const seen = new Set<string>();
  while (row.merged_into !== null && !seen.has(row.id)) {
    seen.add(row.id);
    row = yield* groupRow(row.merged_into);
  }
  return row;
}
