import { UserError } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { type NewTables, quoted, type Row, rowsAtOnce, type Table, type Value } from '../tables.js';
import { PostgresFault } from './faults.js';
import { migrate } from './migrate.js';
import { heldByOther, lockForStart, writerName } from './owner.js';
import { Session } from './session.js';
import { storable } from './storable.js';

/** Of one statement: holding all rows of a large table against a rule reads all of them. */
const longestMs = 30 * 60_000;
const missingReference = '23503';

/** Of a table or view: the types of its columns. */
type Shape = ReadonlyMap<string, string>;

/** The tables of the view `queues`. */
const queueTables = ['queue_definitions', 'queue_counters'] as const;

/** A rule that rows of one table refer to rows of another. */
interface Reference {
  readonly on: string;
  readonly name: string;
  readonly text: string;
}

/**
 * A master's database in PostgreSQL, with every row of it, in one transaction. Takes it as a master
 * does. Counts that are kept in shards are read as their sums, and written into one.
 */
export class PostgresTables implements NewTables {
  #references: readonly Reference[] = [];
  #cleared: readonly string[] = [];

  private constructor(
    private readonly session: Session,
    /** Names the database in the folder of its blobs. */
    readonly databaseId: string,
    private readonly shapes: ReadonlyMap<string, Shape>,
  ) {}

  /** @throws UserError when a master has it, or it is not ours; faults */
  static async open(url: string): Promise<PostgresTables> {
    const instance = newId();
    const session = await Session.open({
      ...{ url, name: writerName(instance), synchronous: 'full', longestMs },
    });
    try {
      await lockForStart(session, { instance, isShared: false }).catch(async (error) => {
        if (!(error instanceof PostgresFault)) throw error;
        throw await heldByOther(session, false);
      });
      await migrate(session);
      await session.query({ text: 'BEGIN ISOLATION LEVEL REPEATABLE READ' });
      const { rows } = await session.query({ text: 'SELECT database_id FROM schema_version' });
      const { database_id: id } = rows[0] as { database_id: string };
      return new PostgresTables(session, id, await shapesOf(session));
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  async *rows(table: Table): AsyncIterable<readonly Row[]> {
    let after: Row | undefined;
    for (;;) {
      const { rows } = await this.session.query({
        text: this.#page(table, after !== undefined),
        values: after ?? [],
        rowMode: 'array',
      });
      const some = rows as Row[];
      if (some.length > 0) yield some;
      const last = some.at(-1);
      if (last === undefined || some.length < rowsAtOnce) return;
      after = table.key.map((column) => last[table.columns.indexOf(column)] as Value);
    }
  }

  async numbers(): Promise<ReadonlyMap<string, number>> {
    const all = await numberedBy(this.session);
    return new Map(all.flatMap(({ table, last }) => (last === null ? [] : [[table, last]])));
  }

  async clear(tables: readonly Table[]): Promise<void> {
    this.#references = await referencesOf(this.session);
    for (const { on, name } of this.#references) {
      await this.#run(`ALTER TABLE "${on}" DROP CONSTRAINT "${name}"`);
    }
    this.#cleared = tables.flatMap(({ name }) => (name === 'queues' ? queueTables : [name]));
    for (const name of this.#cleared) await this.#run(`ALTER TABLE "${name}" DISABLE TRIGGER USER`);
    await this.#run(`TRUNCATE ${quoted(this.#cleared)}`);
  }

  async write(table: Table, rows: readonly Row[]): Promise<void> {
    if (table.name === 'queues') return this.#writeQueues(table, rows);
    await this.#insert(table, rows);
  }

  async number(after: ReadonlyMap<string, number>): Promise<void> {
    for (const { table, column } of await numberedBy(this.session)) {
      await this.session.query({
        text: `SELECT setval(pg_get_serial_sequence($1, $2), highest)
          FROM (SELECT greatest(max("${column}"), $3) AS highest FROM "${table}") AS given
          WHERE highest > 0`,
        values: [table, column, after.get(table) ?? 0],
      });
    }
  }

  kept(value: Value): Value {
    return storable(value) as Value;
  }

  async commit(): Promise<void> {
    for (const name of this.#cleared) await this.#run(`ALTER TABLE "${name}" ENABLE TRIGGER USER`);
    for (const { on, name, text } of this.#references) {
      await this.#run(`ALTER TABLE "${on}" ADD CONSTRAINT "${name}" ${text}`).catch((error) => {
        if (!(error instanceof PostgresFault) || error.code !== missingReference) throw error;
        throw new UserError(`a row of ${on} refers to one that is not there: ${error.message}`);
      });
    }
    await this.#run('COMMIT');
  }

  /** Idempotent. What was not committed is gone. */
  close(): Promise<void> {
    return this.session.close();
  }

  async #run(text: string): Promise<void> {
    await this.session.query({ text });
  }

  #shape(name: string): Shape {
    const shape = this.shapes.get(name);
    if (!shape) throw new UserError(`the database has no table ${name}: nothing was moved`);
    return shape;
  }

  /** A page of a table in order of its key. Text is compared by its bytes, as SQLite does. */
  #page(table: Table, isNext: boolean): string {
    const shape = this.#shape(table.name);
    const key = table.key.map((column) =>
      shape.get(column) === 'text' ? `"${column}" COLLATE "C"` : `"${column}"`,
    );
    const after = table.key.map((column, i) => `CAST($${i + 1} AS ${shape.get(column)})`);
    return `SELECT ${quoted(table.columns)} FROM ${shape.has('shard') ? summed(table) : `"${table.name}"`} AS t
      ${isNext ? `WHERE (${key.join(', ')}) > (${after.join(', ')})` : ''}
      ORDER BY ${key.join(', ')} LIMIT ${rowsAtOnce}`;
  }

  /** The columns that a table has beyond these keep their defaults. */
  async #insert({ name, columns }: Pick<Table, 'name' | 'columns'>, rows: readonly Row[]) {
    const shape = this.#shape(name);
    const arrays = columns.map((column, i) => `CAST($${i + 1} AS ${shape.get(column)}[])`);
    const shard = shape.has('shard');
    await this.session.query({
      text: `INSERT INTO "${name}" (${quoted(columns)}${shard ? ', shard' : ''})
        OVERRIDING SYSTEM VALUE
        SELECT ${quoted(columns)}${shard ? ', 0' : ''}
        FROM unnest(${arrays.join(', ')}) AS t (${quoted(columns)})`,
      values: columns.map((_, i) => rows.map((row) => row[i])),
    });
  }

  async #writeQueues({ columns }: Table, rows: readonly Row[]): Promise<void> {
    const [id, pending] = [columns.indexOf('id'), columns.indexOf('pending')];
    await this.#insert(
      { name: queueTables[0], columns: columns.filter((_, i) => i !== pending) },
      rows.map((row) => row.filter((_, i) => i !== pending)),
    );
    await this.#insert(
      { name: queueTables[1], columns: ['queue_id', 'pending'] },
      rows.map((row) => [row[id] as Value, row[pending] as Value]),
    );
  }
}

/** One row of all shards: every column beside the key is a count. */
function summed({ name, columns, key }: Table): string {
  const sums = columns
    .filter((column) => !key.includes(column))
    .map((column) => `CAST(sum("${column}") AS bigint) AS "${column}"`);
  return `(SELECT ${[quoted(key), ...sums].join(', ')} FROM "${name}" GROUP BY ${quoted(key)})`;
}

async function shapesOf(session: Session): Promise<ReadonlyMap<string, Shape>> {
  const { rows } = await session.query({
    text: `SELECT table_name AS "table", column_name AS "column", data_type AS type
      FROM information_schema.columns WHERE table_schema = current_schema()`,
  });
  const shapes = new Map<string, Map<string, string>>();
  for (const { table, column, type } of rows as Record<'table' | 'column' | 'type', string>[]) {
    const shape = shapes.get(table) ?? new Map();
    shapes.set(table, shape.set(column, type));
  }
  return shapes;
}

async function referencesOf(session: Session): Promise<readonly Reference[]> {
  const { rows } = await session.query({
    text: `SELECT relname AS "on", conname AS name, pg_get_constraintdef(c.oid) AS text
      FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = conrelid
      WHERE contype = 'f' AND c.connamespace = to_regnamespace(quote_ident(current_schema()))
      ORDER BY relname, conname`,
  });
  return rows as Reference[];
}

/** Columns that number the rows of their tables. `last` is null where none was given out. */
async function numberedBy(session: Session) {
  const { rows } = await session.query({
    text: `SELECT table_name AS "table", column_name AS "column", pg_sequence_last_value(
        CAST(pg_get_serial_sequence(quote_ident(table_name), column_name) AS regclass)) AS last
      FROM information_schema.columns
      WHERE table_schema = current_schema() AND is_identity = 'YES'`,
  });
  return rows as { table: string; column: string; last: number | null }[];
}
