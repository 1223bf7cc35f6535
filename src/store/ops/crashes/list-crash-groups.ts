import { pageOperation } from '../../operation.js';
import type { CrashGroupRow } from '../../rows.js';
import { all, statement } from '../../statement.js';

interface Page {
  beforeId: string;
  limit: number;
}

const select = statement<Page, CrashGroupRow>(`
  SELECT id, target_name, kind, top_frame, count, first_found_at, last_found_at, first_crash_id
  FROM crash_groups WHERE id < @beforeId ORDER BY id DESC LIMIT @limit`);

/** The groups before `beforeId`, newest first. */
export const listCrashGroups = pageOperation('list_crash_groups', (page: Page) =>
  all(select, page),
);
