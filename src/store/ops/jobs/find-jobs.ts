import { pageOperation } from '../../operation.js';
import { isFull, mostPageBytes, rowBytes } from '../../page-bytes.js';
import { type JobRow, type JobStateName, jobColumns } from '../../rows.js';
import { page, type Steps, statement } from '../../statement.js';
import { listed } from './listed.js';

/** Which jobs; what is undefined or empty lets all through. */
export interface JobFilter {
  state?: JobStateName | undefined;
  project?: string | undefined;
  targetName?: string | undefined;
  /** Key of a campaign, as JobSpec.campaign has it. */
  campaign?: string | undefined;
  /** The caller is bound to `project`: rows of others are not even read. */
  isBound?: boolean;
}

interface FoundRow extends JobRow {
  project: string;
  target_name: string;
}

interface Slice {
  /** From here on; empty: from the first. */
  sinceId: string;
  beforeId: string;
  limit: number;
}

/** Rows read at once. */
const sliceSize = 250;
/** Rows that one call looks at, so that a filter which lets few through ends in time. */
const mostLookedAt = 2000;

const slice = <More extends object>(where: string) =>
  statement<Slice & More, FoundRow>(`
    SELECT ${jobColumns}, project, target_name FROM jobs
    WHERE ${where} id < @beforeId AND id >= @sinceId ORDER BY id DESC LIMIT @limit`);
const every = slice<object>('');
const ofState = slice<{ state: JobStateName }>('state = @state AND');
const ofProject = slice<{ project: string }>('project = @project AND');
type OfTarget = { project: string; targetName: string };
const ofTarget = 'project = @project AND target_name = @targetName AND';
const fuzzing = slice<OfTarget>(`kind = 'fuzz' AND ${ofTarget}`);
const working = slice<OfTarget>(`kind <> 'fuzz' AND ${ofTarget}`);

/**
 * The jobs before `beforeId` that pass, newest first, `limit` at most.
 *
 * @returns also whether there may be more, and the last job that was looked at
 */
export const findJobs = pageOperation(
  'find_jobs',
  function* (
    input: Slice & { filter: JobFilter },
  ): Steps<{ jobs: JobRow[]; lastId: string | undefined; isEnd: boolean }> {
    const { filter, limit, sinceId } = input;
    const jobs: JobRow[] = [];
    let bytes = 0;
    let lastId: string | undefined;
    for (let looked = 0; looked < mostLookedAt; looked += sliceSize) {
      const keys = { beforeId: lastId ?? input.beforeId, sinceId, limit: sliceSize };
      const { rows, isEnd } = yield* read(filter, keys);
      for (const row of rows) {
        if (jobs.length === limit || bytes >= mostPageBytes) return { jobs, lastId, isEnd: false };
        lastId = row.id;
        if (!passes(row, filter)) continue;
        jobs.push(listed(row));
        bytes += rowBytes(row);
      }
      if (isEnd) return { jobs, lastId, isEnd: true };
    }
    return { jobs, lastId, isEnd: false };
  },
);

const endStates: ReadonlySet<JobStateName> = new Set(['completed', 'cancelled', 'dead']);

/** By the index that leaves out the most. */
function* read(
  { state, project, targetName, isBound }: JobFilter,
  keys: Slice,
): Steps<{ rows: readonly FoundRow[]; isEnd: boolean }> {
  if (project && targetName) {
    const named = { ...keys, project, targetName };
    return newestOf(yield* page(fuzzing, named), yield* page(working, named));
  }
  // Few jobs are in a state that has an index of its own; ended ones are found by project.
  if (project && (isBound || !state || endStates.has(state))) {
    const rows = yield* page(ofProject, { ...keys, project });
    return { rows, isEnd: isLast(rows) };
  }
  const rows = state ? yield* page(ofState, { ...keys, state }) : yield* page(every, keys);
  return { rows, isEnd: isLast(rows) };
}

const isLast = (rows: readonly JobRow[]) => rows.length < sliceSize && !isFull(rows);

/** What both slices cover: beyond the last row of a slice that is not the last, rows may be missing. */
function newestOf(
  one: readonly FoundRow[],
  other: readonly FoundRow[],
): { rows: readonly FoundRow[]; isEnd: boolean } {
  const ends = [one, other].flatMap((rows) => (isLast(rows) ? [] : (rows.at(-1)?.id ?? [])));
  const from = ends.sort().at(-1) ?? '';
  const rows = [...one, ...other]
    .filter(({ id }) => id >= from)
    .sort((a, b) => (a.id < b.id ? 1 : -1));
  return { rows, isEnd: ends.length === 0 };
}

function passes(row: FoundRow, { state, project, targetName, campaign }: JobFilter): boolean {
  return (
    (!state || row.state === state) &&
    (!project || row.project === project) &&
    (!targetName || row.target_name === targetName) &&
    (!campaign || row.campaign === campaign)
  );
}
