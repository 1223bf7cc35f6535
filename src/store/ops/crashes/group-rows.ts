import { NotFoundError, PreconditionError } from '../../../core/errors.js';
import { type CrashGroupRow, crashGroupColumns } from '../../crash-rows.js';
import { forUpdate } from '../../sql.js';
import { one, type Steps, statement } from '../../statement.js';

const select = statement<{ groupId: string }, CrashGroupRow>(
  `SELECT ${crashGroupColumns} FROM crash_groups WHERE id = @groupId`,
);
const lock = statement<{ groupId: string }, CrashGroupRow>(
  `SELECT ${crashGroupColumns} FROM crash_groups WHERE id = @groupId ${forUpdate()}`,
);
const mergedInto = statement<{ id: string }, { merged_into: string | null }>(
  'SELECT merged_into FROM crash_groups WHERE id = @id',
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
  const into = yield* standInFor(row.merged_into);
  const why = `this group was merged into ${into}: use that one, or undo the merge`;
  throw new PreconditionError({ reason: 'MERGED', why });
}

/**
 * The group in which the crashes of a group are now: itself, unless it was merged away. A
 * group is merged into one that has crashes, so the way ends.
 */
export function* standInFor(groupId: string): Steps<string> {
  let id = groupId;
  for (;;) {
    const into = (yield* one(mergedInto, { id }))?.merged_into;
    if (!into) return id;
    id = into;
  }
}
