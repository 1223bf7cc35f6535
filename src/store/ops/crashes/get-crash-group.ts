import { type CrashGroupRow, crashGroupColumns, type GroupBuildRow } from '../../crash-rows.js';
import { readOperation } from '../../operation.js';
import { all, type Steps, statement } from '../../statement.js';
import { groupRow } from './group-rows.js';

interface Alike {
  project: string;
  target_name: string;
  limit: number;
}

const builds = statement<{ id: string; limit: number }, GroupBuildRow>(`
  SELECT target_sha256, first_met_at, last_met_at, hits, verified_at, verified_crashes
  FROM group_builds WHERE group_id = @id ORDER BY built_at DESC LIMIT @limit`);
const alike = (column: 'top_frame' | 'message') =>
  statement<Alike & { value: string }, CrashGroupRow>(`
    SELECT ${crashGroupColumns} FROM crash_groups
    WHERE project = @project AND target_name = @target_name AND ${column} = @value
      AND merged_into IS NULL
    ORDER BY id DESC LIMIT @limit`);
const sameFrame = alike('top_frame');
const sameMessage = alike('message');

/** A group with those that may have the same cause, and what each build made of it. */
export interface WholeGroup {
  group: CrashGroupRow;
  similar: CrashGroupRow[];
  /** The newest build first. */
  builds: GroupBuildRow[];
}

/** @throws NotFoundError */
export const getCrashGroup = readOperation(
  'get_crash_group',
  function* (input: { id: string; similar: number; builds: number }): Steps<WholeGroup> {
    const { id } = input;
    const group = yield* groupRow(id);
    const keys = { ...group, limit: input.similar + 1 };
    const byFrame = isTelling(group.top_frame)
      ? yield* all(sameFrame, { ...keys, value: group.top_frame })
      : [];
    const byMessage = isTelling(group.message)
      ? yield* all(sameMessage, { ...keys, value: group.message })
      : [];
    const others = new Map([...byFrame, ...byMessage].map((one) => [one.id, one]));
    others.delete(id);
    const similar = [...others.values()].slice(0, input.similar);
    return { group, similar, builds: yield* all(builds, { id, limit: input.builds }) };
  },
);

/** Whether two groups that share it may have the same cause. */
const isTelling = (text: string): boolean => text !== '' && text !== 'unknown';
