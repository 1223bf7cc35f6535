import { pageOperation } from '../../operation.js';
import { type JobRow, type JobStateName, jobColumns } from '../../rows.js';

/** Newest first, those before `beforeId`; only those in `state`, if it is given. */
export const listJobs = pageOperation('list_jobs', (db) => {
  const all = db.prepare<[string, number], JobRow>(
    `SELECT ${jobColumns} FROM jobs WHERE id < ? ORDER BY id DESC LIMIT ?`,
  );
  const inState = db.prepare<[string, string, number], JobRow>(
    `SELECT ${jobColumns} FROM jobs WHERE state = ? AND id < ? ORDER BY id DESC LIMIT ?`,
  );
  return (page: { beforeId: string; limit: number; state?: JobStateName }): JobRow[] =>
    page.state
      ? inState.all(page.state, page.beforeId, page.limit)
      : all.all(page.beforeId, page.limit);
});
