import { type CrashGroupRow, crashGroupColumns, type GroupStatusName } from '../../crash-rows.js';
import { pageOperation } from '../../operation.js';
import { isFull, mostPageBytes, rowBytes } from '../../page-bytes.js';
import { page, type Steps, statement } from '../../statement.js';

/** Which groups; what is undefined or empty lets all through. Times in ms. */
export interface GroupFilter {
  project?: string | undefined;
  targetName?: string | undefined;
  kind?: string | undefined;
  status?: GroupStatusName | undefined;
  /** Met since. */
  since?: number | undefined;
  /** First met since. */
  newSince?: number | undefined;
  /** In lower case. */
  text?: string | undefined;
}

interface Slice {
  beforeId: string;
  limit: number;
}

/** Rows read at once. */
const sliceSize = 250;
/** Rows that one call looks at, so that a filter which lets few through ends in time. */
const mostLookedAt = 2000;

const slice = <More extends object>(where: string) =>
  statement<Slice & More, CrashGroupRow>(`
    SELECT ${crashGroupColumns} FROM crash_groups
    WHERE ${where} merged_into IS NULL AND id < @beforeId ORDER BY id DESC LIMIT @limit`);
const every = slice<object>('');
const ofProject = slice<{ project: string }>('project = @project AND');
const ofTarget = slice<{ targetName: string }>('target_name = @targetName AND');
const ofBoth = slice<{ project: string; targetName: string }>(
  'project = @project AND target_name = @targetName AND',
);
const ofStatus = slice<{ status: GroupStatusName }>('status = @status AND');

/**
 * The groups before `beforeId` that pass, newest first, `limit` at most.
 *
 * @returns also whether there may be more, and the last group that was looked at
 */
export const listCrashGroups = pageOperation(
  'list_crash_groups',
  function* (
    input: Slice & { filter: GroupFilter },
  ): Steps<{ groups: CrashGroupRow[]; lastId: string | undefined; isEnd: boolean }> {
    const { filter, limit } = input;
    const groups: CrashGroupRow[] = [];
    let bytes = 0;
    let lastId: string | undefined;
    for (let looked = 0; looked < mostLookedAt; looked += sliceSize) {
      const keys = { beforeId: lastId ?? input.beforeId, limit: sliceSize };
      const rows = yield* read(filter, keys);
      for (const row of rows) {
        if (groups.length === limit || bytes >= mostPageBytes) {
          return { groups, lastId, isEnd: false };
        }
        lastId = row.id;
        if (!passes(row, filter)) continue;
        groups.push(row);
        bytes += rowBytes(row);
      }
      if (rows.length < sliceSize && !isFull(rows)) return { groups, lastId, isEnd: true };
    }
    return { groups, lastId, isEnd: false };
  },
);

/** By the index that leaves out the most. */
function read({ project, targetName, status }: GroupFilter, keys: Slice) {
  if (project && targetName) return page(ofBoth, { ...keys, project, targetName });
  if (targetName) return page(ofTarget, { ...keys, targetName });
  if (project) return page(ofProject, { ...keys, project });
  if (status) return page(ofStatus, { ...keys, status });
  return page(every, keys);
}

function passes(row: CrashGroupRow, filter: GroupFilter): boolean {
  const { project, targetName, kind, status, since, newSince, text } = filter;
  return (
    (!project || row.project === project) &&
    (!targetName || row.target_name === targetName) &&
    (!kind || row.kind === kind) &&
    (!status || row.status === status) &&
    (since === undefined || row.last_found_at >= since) &&
    (newSince === undefined || row.first_found_at >= newSince) &&
    (!text || textsOf(row).some((one) => one.toLowerCase().includes(text)))
  );
}

function textsOf({ message, kind, target_name, top_frame, frames }: CrashGroupRow): string[] {
  const stack = JSON.parse(frames) as { function?: string; file?: string; module?: string }[];
  const ofFrames = stack.flatMap((frame) => [frame.function, frame.file, frame.module]);
  return [message, kind, target_name, top_frame, ...ofFrames.flatMap((one) => one ?? [])];
}
