import { type CrashGroupRow, crashGroupColumns } from '../../crash-rows.js';
import { pageOperation } from '../../operation.js';
import type { EventRow } from '../../rows.js';
import { all, one, type Steps, statement } from '../../statement.js';

/** Kinds of events that webhooks deliver, as in the index events_to_deliver. */
export type NoticeKind = 'crash_group.new' | 'crash_group.reopened' | 'crash_group.fixed';

/** An event about a group of crashes, with the group as it is now. */
export interface Notice {
  readonly sequence: number;
  readonly time: number;
  readonly kind: NoticeKind;
  readonly group: CrashGroupRow;
}

interface NextNotice {
  cursor: number;
  kinds: readonly NoticeKind[];
  /** null: of every project. */
  project: string | null;
  /** Events that one call looks at. */
  limit: number;
}

interface FoundNotice {
  /** The first that is wanted after the cursor, among the events looked at. */
  notice: Notice | undefined;
  /** Without a notice: where to look on. */
  cursor: number;
  /** Without a notice: nothing after the cursor is wanted yet. */
  isLast: boolean;
  /** Events after the cursor up to this one are no longer kept; null: all are. */
  missedUpTo: number | null;
}

const toDeliver = statement<{ cursor: number; limit: number }, EventRow>(`
  SELECT sequence, time, kind, subject FROM events
  WHERE kind IN ('crash_group.new', 'crash_group.reopened', 'crash_group.fixed')
    AND sequence > @cursor
  ORDER BY sequence LIMIT @limit`);
const groupById = statement<{ id: string }, CrashGroupRow>(
  `SELECT ${crashGroupColumns} FROM crash_groups WHERE id = @id`,
);
const oldest = statement<object, { sequence: number }>(
  'SELECT sequence FROM events WHERE sequence > 0 ORDER BY sequence LIMIT 1',
);
const newest = statement<object, { sequence: number }>(
  'SELECT sequence FROM events WHERE sequence > 0 ORDER BY sequence DESC LIMIT 1',
);

/** Finds what a webhook has to deliver next. */
export const nextNotice = pageOperation(
  'next_notice',
  function* (input: NextNotice): Steps<FoundNotice> {
    const { cursor, kinds, project, limit } = input;
    const first = (yield* one(oldest, {}))?.sequence ?? 1;
    const missedUpTo = cursor + 1 < first ? first - 1 : null;
    const rows = yield* all(toDeliver, { cursor, limit });
    for (const { sequence, time, kind, subject } of rows) {
      if (!isOneOf(kinds, kind)) continue;
      const group = yield* one(groupById, { id: subject });
      if (!group || (project !== null && group.project !== project)) continue;
      const notice = { sequence, time, kind, group };
      return { notice, cursor, isLast: false, missedUpTo };
    }
    const isLast = rows.length < limit;
    const last = isLast ? (yield* one(newest, {}))?.sequence : rows.at(-1)?.sequence;
    const read = Math.max(last ?? cursor, cursor);
    return { notice: undefined, cursor: read, isLast, missedUpTo };
  },
);

const isOneOf = (kinds: readonly NoticeKind[], kind: string): kind is NoticeKind =>
  (kinds as readonly string[]).includes(kind);
