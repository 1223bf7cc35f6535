import { type CrashDecisionRow, crashDecisionColumns } from '../../crash-rows.js';
import { pageOperation } from '../../operation.js';
import { isFull, pageOf } from '../../page-bytes.js';
import { page, type Steps, statement } from '../../statement.js';

interface Page {
  beforeId: string;
  limit: number;
}

const newestFirst = 'id < @beforeId ORDER BY id DESC LIMIT @limit';
const every = statement<Page, CrashDecisionRow>(
  `SELECT ${crashDecisionColumns} FROM crash_decisions WHERE ${newestFirst}`,
);
const ofProject = statement<Page & { project: string }, CrashDecisionRow>(
  `SELECT ${crashDecisionColumns} FROM crash_decisions WHERE project = @project AND ${newestFirst}`,
);
const from = statement<Page & { groupId: string }, CrashDecisionRow>(
  `SELECT ${crashDecisionColumns} FROM crash_decisions WHERE group_id = @groupId AND ${newestFirst}`,
);
const to = statement<Page & { groupId: string }, CrashDecisionRow>(
  `SELECT ${crashDecisionColumns} FROM crash_decisions
   WHERE to_group_id = @groupId AND ${newestFirst}`,
);

/** Merges and splits before `beforeId`, newest first; only those from or to a group, or else of a project. */
export const listDecisions = pageOperation(
  'list_crash_decisions',
  function* (input: Page & { groupId?: string; project?: string }): Steps<CrashDecisionRow[]> {
    const { groupId, project, ...keys } = input;
    if (!groupId && project) return yield* page(ofProject, { ...keys, project });
    if (!groupId) return yield* page(every, keys);
    const left = yield* page(from, { ...keys, groupId });
    const come = yield* page(to, { ...keys, groupId });
    const both = [...left, ...come].sort((a, b) => (a.id < b.id ? 1 : -1));
    // Behind the end of a list that its bytes have ended, there may be more of it.
    const ends = [left, come].flatMap((rows) => (isFull(rows) ? (rows.at(-1)?.id ?? []) : []));
    const known = both.filter(({ id }) => ends.every((end) => id >= end));
    return pageOf(known.slice(0, keys.limit));
  },
);
