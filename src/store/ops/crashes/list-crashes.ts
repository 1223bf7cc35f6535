import { pageOperation } from '../../operation.js';
import { type CrashRow, crashColumns } from '../../rows.js';

/** Newest first, those before `beforeId`; only those of a group or of a job, if one is given. */
export const listCrashes = pageOperation('list_crashes', (db) => {
  const select = (where: string) =>
    `SELECT ${crashColumns} FROM crashes WHERE ${where} id < ? ORDER BY id DESC LIMIT ?`;
  const all = db.prepare<[string, number], CrashRow>(select(''));
  const ofGroup = db.prepare<[string, string, number], CrashRow>(select('group_id = ? AND'));
  const ofJob = db.prepare<[string, string, number], CrashRow>(select('job_id = ? AND'));
  return (page: { beforeId: string; limit: number; groupId?: string; jobId?: string }) => {
    if (page.groupId) return ofGroup.all(page.groupId, page.beforeId, page.limit);
    if (page.jobId) return ofJob.all(page.jobId, page.beforeId, page.limit);
    return all.all(page.beforeId, page.limit);
  };
});
