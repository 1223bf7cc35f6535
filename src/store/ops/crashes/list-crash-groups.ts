import { pageOperation } from '../../operation.js';
import type { CrashGroupRow } from '../../rows.js';

/** Newest first, those before `beforeId`. */
export const listCrashGroups = pageOperation('list_crash_groups', (db) => {
  const select = db.prepare<[string, number], CrashGroupRow>(`
    SELECT id, target_name, kind, top_frame, count, first_found_at, last_found_at, first_crash_id
    FROM crash_groups WHERE id < ? ORDER BY id DESC LIMIT ?`);
  return (page: { beforeId: string; limit: number }): CrashGroupRow[] =>
    select.all(page.beforeId, page.limit);
});
