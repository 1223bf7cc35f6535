import type { CrashReading } from '../../crash-rows.js';
import { writeOperation } from '../../operation.js';
import { one, run, type Steps, statement } from '../../statement.js';
import { settleGroup } from './settle-group.js';

const rewrite = statement<CrashReading & { id: string }>(`
  UPDATE crashes SET kind = @kind, message = @message, top_frame = @topFrame, access = @access,
    access_size_bytes = @accessSizeBytes, address = @address, security = @security,
    security_why = @securityWhy, language = @language, signature = @signature,
    distinction = @distinction, frames = @frames, stack = @stack, signature_version = 0
  WHERE id = @id`);
const confirm = statement<{ id: string; version: number }>(
  'UPDATE crashes SET signature_version = @version WHERE id = @id',
);
const groupOf = statement<{ id: string }, { group_id: string }>(
  'SELECT group_id FROM crashes WHERE id = @id',
);

/** Writes what the reader makes of reports now. Their crashes are still to be grouped. */
export const rewriteCrashes = writeOperation(
  'rewrite_crashes',
  'upkeep',
  function* (readings: readonly (CrashReading & { id: string })[]): Steps<void> {
    for (const reading of readings) yield* run(rewrite, reading);
  },
);

/** Notes that crashes are grouped by this version of the reader, and counts their groups anew. */
export const confirmCrashes = writeOperation(
  'confirm_crashes',
  'upkeep',
  function* (input: { ids: readonly string[]; version: number }): Steps<void> {
    const groups = new Set<string>();
    for (const id of input.ids) {
      yield* run(confirm, { id, version: input.version });
      const row = yield* one(groupOf, { id });
      if (row) groups.add(row.group_id);
    }
    for (const groupId of [...groups].sort()) yield* settleGroup(groupId);
  },
);
