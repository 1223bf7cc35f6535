import { pageOperation } from '../../operation.js';
import { type CrashRow, crashColumns } from '../../rows.js';
import { all, statement } from '../../statement.js';

interface Page {
  beforeId: string;
  limit: number;
}

const newestFirst = 'id < @beforeId ORDER BY id DESC LIMIT @limit';
const every = statement<Page, CrashRow>(`SELECT ${crashColumns} FROM crashes WHERE ${newestFirst}`);
const ofGroup = statement<Page & { groupId: string }, CrashRow>(
  `SELECT ${crashColumns} FROM crashes WHERE group_id = @groupId AND ${newestFirst}`,
);
const ofJob = statement<Page & { jobId: string }, CrashRow>(
  `SELECT ${crashColumns} FROM crashes WHERE job_id = @jobId AND ${newestFirst}`,
);

/** The crashes before `beforeId`, newest first; only those of a group or of a job, if one is given. */
export const listCrashes = pageOperation(
  'list_crashes',
  ({ groupId, jobId, ...page }: Page & { groupId?: string; jobId?: string }) => {
    if (groupId) return all(ofGroup, { ...page, groupId });
    if (jobId) return all(ofJob, { ...page, jobId });
    return all(every, page);
  },
);
