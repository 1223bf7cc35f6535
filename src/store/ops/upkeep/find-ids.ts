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

/** What has ids that people name. */
export const idResources = Object.keys(tables) as readonly (keyof typeof tables)[];

/** What has an id within a range, some of each resource. */
export const findIds = readOperation(
  'find_ids',
  function* (
    input: Range & { resources: readonly (typeof idResources)[number][] },
  ): Steps<{ id: string; resource: string }[]> {
    const { resources, ...range } = input;
    const found: { id: string; resource: string }[] = [];
    for (const resource of resources) {
      for (const { id } of yield* all(tables[resource], range)) found.push({ id, resource });
    }
    return found;
  },
);
