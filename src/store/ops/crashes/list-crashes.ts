import { type CrashRow, crashColumns, type ReproductionRow } from '../../crash-rows.js';
import { pageOperation } from '../../operation.js';
import { one, page, type Steps, statement } from '../../statement.js';

interface Page {
  beforeId: string;
  limit: number;
}

/** A crash of a list, with what came of running it again last. */
export type ListedCrash = CrashRow & { reproduction: ReproductionRow | undefined };

type Row = CrashRow & { reproduced_rank: 0 | 1 | 2 };

const columns = `${crashColumns}, reproduced_rank`;
const newestFirst = 'id < @beforeId ORDER BY id DESC LIMIT @limit';
const every = statement<Page, Row>(`SELECT ${columns} FROM crashes WHERE ${newestFirst}`);
const ofGroup = statement<Page & { groupId: string }, Row>(
  `SELECT ${columns} FROM crashes WHERE group_id = @groupId AND ${newestFirst}`,
);
const ofJob = statement<Page & { jobId: string }, Row>(
  `SELECT ${columns} FROM crashes WHERE job_id = @jobId AND ${newestFirst}`,
);
const ofProject = statement<Page & { project: string }, Row>(
  `SELECT ${columns} FROM crashes WHERE project = @project AND ${newestFirst}`,
);
const lastRun = statement<{ id: string }, ReproductionRow>(`
  SELECT job_id, bot_id, target_sha256, runs, crashes, at, '' AS log FROM reproductions
  WHERE crash_id = @id ORDER BY reproductions.id DESC LIMIT 1`);
const untried = 1;

/** Which crashes: those of a group, or else of a job, or else of a project, or all. */
interface Chosen {
  groupId?: string;
  jobId?: string;
  project?: string;
}

/** The crashes before `beforeId`, newest first. */
export const listCrashes = pageOperation('list_crashes', function* (input: Page & Chosen): Steps<
  ListedCrash[]
> {
  const crashes: ListedCrash[] = [];
  for (const { reproduced_rank: rank, ...row } of yield* rowsOf(input)) {
    const reproduction = rank === untried ? undefined : yield* one(lastRun, { id: row.id });
    crashes.push({ ...row, reproduction });
  }
  return crashes;
});

function rowsOf({ groupId, jobId, project, ...keys }: Page & Chosen) {
  if (groupId) return page(ofGroup, { ...keys, groupId });
  if (jobId) return page(ofJob, { ...keys, jobId });
  if (project) return page(ofProject, { ...keys, project });
  return page(every, keys);
}
