import { type AuditEntry, type AuditNote, hashOf } from '../../../core/audit.js';
import { writeOperation } from '../../operation.js';
import { one, run, type Steps, statement } from '../../statement.js';

const newest = statement<object, { sequence: number; time: number; hash: string }>(
  'SELECT sequence, time, hash FROM audit WHERE sequence > 0 ORDER BY sequence DESC LIMIT 1',
);
const insert = statement<AuditEntry & { hash: string }>(`
  INSERT INTO audit (sequence, time, kind, method, caller, token_id, role, address, request_id,
    about, outcome, count, previous, hash)
  VALUES (@sequence, @time, @kind, @method, @caller, @tokenId, @role, @address, @requestId,
    @about, @outcome, @count, @previous, @hash)`);

/** Appends to the audit log. Its times never go back, whatever the clock did. */
export function* append(note: AuditNote): Steps<void> {
  const last = yield* one(newest, {});
  const entry: AuditEntry = {
    ...note,
    sequence: (last?.sequence ?? 0) + 1,
    time: Math.max(note.time, last?.time ?? 0),
    about: JSON.stringify(note.about),
    previous: last?.hash ?? '',
  };
  yield* run(insert, { ...entry, hash: hashOf(entry) });
}

/**
 * Appends one entry by itself. Usually the entry of a change is appended behind the write of
 * that change, in its transaction (sqlite/group-commit.ts).
 */
export const appendAudit = writeOperation('append_audit', 'work', append);

/** The note with the id of what its write made or changed, by what it was given and returned. */
export function withMade(note: AuditNote, input: unknown, output: unknown): AuditNote {
  const id = idIn(output) ?? idIn(input);
  if (id === undefined || note.about.some(([, value]) => value === id)) return note;
  return { ...note, about: [...note.about, ['id', id]] };
}

/** Answers have the row that they are about under one of these. */
const rows = ['earlier', 'job', 'campaign', 'group', 'decision'];

/** `id` of a row, or of the one row within an answer. */
function idIn(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const all = value as Record<string, unknown>;
  if (typeof all['id'] === 'string') return all['id'];
  for (const name of rows) {
    const id = (all[name] as { id?: unknown } | undefined | null)?.id;
    if (typeof id === 'string') return id;
  }
  return undefined;
}
