import { readOperation } from '../../operation.js';
import { all, type Steps, statement } from '../../statement.js';

/** Ids from one to another, both included, of at most some. */
interface Range {
  from: string;
  to: string;
  limit: number;
}

const ids = (table: string, where = '') =>
  statement<Range, { id: string }>(
    `SELECT id FROM ${table} WHERE ${where} id >= @from AND id <= @to ORDER BY id LIMIT @limit`,
  );

const tables = {
  bot: ids('bots', 'forgotten_at IS NULL AND'),
  job: ids('jobs'),
  crash: ids('crashes'),
  'crash group': ids('crash_groups'),
  decision: ids('crash_decisions'),
} as const;

const within = (table: string, where = '') =>
  statement<Range & { project: string }, { id: string }>(
    `SELECT id FROM ${table} WHERE ${where} project = @project AND id >= @from AND id <= @to
     ORDER BY id LIMIT @limit`,
  );

/** Those of one project. Bots are of none; groups that were merged away are not found. */
const ofProject = {
  job: within('jobs'),
  crash: within('crashes'),
  'crash group': within('crash_groups', 'merged_into IS NULL AND'),
  decision: within('crash_decisions'),
} as const;

/** What has ids that people name. */
export const idResources = Object.keys(tables) as readonly (keyof typeof tables)[];

/** What has an id within a range, some of each resource. */
export const findIds = readOperation(
  'find_ids',
  function* (
    input: Range & {
      resources: readonly (typeof idResources)[number][];
      /** Only of these; absent: of all. */
      projects?: readonly string[] | undefined;
    },
  ): Steps<{ id: string; resource: string }[]> {
    const { resources, projects, ...range } = input;
    const found: { id: string; resource: string }[] = [];
    for (const resource of resources) {
      if (!projects || resource === 'bot') {
        for (const { id } of yield* all(tables[resource], range)) found.push({ id, resource });
        continue;
      }
      for (const project of projects) {
        const rows = yield* all(ofProject[resource], { ...range, project });
        for (const { id } of rows) found.push({ id, resource });
      }
    }
    return found;
  },
);
