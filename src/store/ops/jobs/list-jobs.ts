import { pageOperation } from '../../operation.js';
import { rowBytes, type Shortened } from '../../page-bytes.js';
import { type JobRow, type JobStateName, jobColumns } from '../../rows.js';
import { page, statement } from '../../statement.js';

interface Page {
  beforeId: string;
  limit: number;
}

const newestFirst = 'id < @beforeId ORDER BY id DESC LIMIT @limit';
const every = statement<Page, JobRow>(`SELECT ${jobColumns} FROM jobs WHERE ${newestFirst}`);
const inState = statement<Page & { state: JobStateName }, JobRow>(
  `SELECT ${jobColumns} FROM jobs WHERE state = @state AND ${newestFirst}`,
);

/** Length of a job's arguments and environment together from which lists leave them out. */
const longestListed = 4096;

/**
 * The jobs before `beforeId`, newest first; only those in `state`, if it is given. Their specs
 * are as lists have them: what is left out is read here, and costs nobody else anything.
 */
export const listJobs = pageOperation(
  'list_jobs',
  function* ({ state, ...keys }: Page & { state?: JobStateName }) {
    const rows = yield* state ? page(inState, { ...keys, state }) : page(every, keys);
    return rows.map(listed);
  },
);

function listed(row: JobRow): JobRow & Shortened {
  if (row.spec.length <= longestListed) return row;
  const { arguments: given = [], environment = {}, ...spec } = JSON.parse(row.spec);
  const texts: string[] = [...given, ...Object.entries<string>(environment).flat()];
  if (texts.reduce((sum, text) => sum + text.length, 0) <= longestListed) return row;
  return { ...row, spec: JSON.stringify(spec), read_bytes: rowBytes(row) };
}
