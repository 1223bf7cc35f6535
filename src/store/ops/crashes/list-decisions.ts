import { type CrashDecisionRow, crashDecisionColumns } from '../../crash-rows.js';
import { pageOperation } from '../../operation.js';
import { all, type Steps, statement } from '../../statement.js';

interface Page {
  beforeId: string;
  limit: number;
}

const newestFirst = 'id < @beforeId ORDER BY id DESC LIMIT @limit';
const every = statement<Page, CrashDecisionRow>(
  `SELECT ${crashDecisionColumns} FROM crash_decisions WHERE ${newestFirst}`,
);
const from = statement<Page & { groupId: string }, CrashDecisionRow>(
  `SELECT ${crashDecisionColumns} FROM crash_decisions WHERE group_id = @groupId AND ${newestFirst}`,
);
const to = statement<Page & { groupId: string }, CrashDecisionRow>(
  `SELECT ${crashDecisionColumns} FROM crash_decisions
   WHERE to_group_id = @groupId AND ${newestFirst}`,
);

/** Merges and splits before `beforeId`, newest first; only those from or to a group, if one is given. */
export const listDecisions = pageOperation(
  'list_crash_decisions',
  function* (input: Page & { groupId?: string }): Steps<CrashDecisionRow[]> {
    const { groupId, ...page } = input;
    if (!groupId) return yield* all(every, page);
    const left = yield* all(from, { ...page, groupId });
    const come = yield* all(to, { ...page, groupId });
    return [...left, ...come].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, page.limit);
  },
);
