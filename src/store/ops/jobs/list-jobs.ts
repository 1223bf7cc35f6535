import { pageOperation } from '../../operation.js';
import { type JobRow, type JobStateName, jobColumns } from '../../rows.js';
import { page, statement } from '../../statement.js';
import { listed } from './listed.js';

interface Page {
  beforeId: string;
  limit: number;
}

const newestFirst = 'id < @beforeId ORDER BY id DESC LIMIT @limit';
const every = statement<Page, JobRow>(`SELECT ${jobColumns} FROM jobs WHERE ${newestFirst}`);
const inState = statement<Page & { state: JobStateName }, JobRow>(
  `SELECT ${jobColumns} FROM jobs WHERE state = @state AND ${newestFirst}`,
);

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
