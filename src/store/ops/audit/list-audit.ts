import { pageOperation } from '../../operation.js';
import { one, page, type Steps, statement } from '../../statement.js';

export interface AuditRow {
  sequence: number;
  time: number;
  kind: 'change' | 'refusal' | 'cut';
  method: string;
  caller: string;
  token_id: string;
  role: string;
  address: string;
  request_id: string;
  about: string;
  outcome: string;
  count: number;
  previous: string;
  hash: string;
}

interface ListAudit {
  /** Of entries by this caller alone; undefined: by any. */
  caller: string | undefined;
  /** Milliseconds since 1970; 0: all. */
  since: number;
  isOldestFirst: boolean;
  /** The entry before the page, of its order; undefined: from the beginning. */
  after: number | undefined;
  limit: number;
}

interface Range {
  above: number;
  below: number;
  limit: number;
}

const columns = `sequence, time, kind, method, caller, token_id, role, address, request_id, about,
  outcome, count, previous, hash`;
const within = 'sequence > @above AND sequence < @below ORDER BY sequence';
const oldest = statement<Range, AuditRow>(
  `SELECT ${columns} FROM audit WHERE ${within} LIMIT @limit`,
);
const newest = statement<Range, AuditRow>(
  `SELECT ${columns} FROM audit WHERE ${within} DESC LIMIT @limit`,
);
const oldestBy = statement<Range & { caller: string }, AuditRow>(
  `SELECT ${columns} FROM audit WHERE caller = @caller AND ${within} LIMIT @limit`,
);
const newestBy = statement<Range & { caller: string }, AuditRow>(
  `SELECT ${columns} FROM audit WHERE caller = @caller AND ${within} DESC LIMIT @limit`,
);
const firstSince = statement<{ since: number }, { sequence: number }>(
  'SELECT sequence FROM audit WHERE time >= @since ORDER BY time, sequence LIMIT 1',
);

/** A page of the audit log. */
export const listAudit = pageOperation('list_audit', function* (of: ListAudit): Steps<AuditRow[]> {
  const { caller, since, isOldestFirst, after, limit } = of;
  const first = since > 0 ? yield* one(firstSince, { since }) : { sequence: 1 };
  if (!first) return [];
  const range = {
    above: Math.max(first.sequence - 1, isOldestFirst ? (after ?? 0) : 0),
    below: isOldestFirst ? Number.MAX_SAFE_INTEGER : (after ?? Number.MAX_SAFE_INTEGER),
    limit,
  };
  if (caller === undefined) return yield* page(isOldestFirst ? oldest : newest, range);
  return yield* page(isOldestFirst ? oldestBy : newestBy, { ...range, caller });
});
