import { UserError } from '../core/errors.js';

/** All rows of a database, table by table, for a move from one engine to the other. */

export type Value = string | number | null;
/** In the order of the table's columns. */
export type Row = readonly Value[];

/** As SQLite has it: PostgreSQL has all of these columns, and may have more. */
export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  /** Columns of the primary key, in its order. */
  readonly key: readonly string[];
}

/** Rows that are read and written at once: some have 256 KiB. */
export const rowsAtOnce = 100;

/** Names of tables or columns as both engines take them. */
export const quoted = (names: readonly string[]): string =>
  names.map((name) => `"${name}"`).join(', ');

/** A database that nothing else uses, in one transaction. */
export interface Tables {
  /** In order of the key, text by its bytes, some rows at a time. */
  rows(table: Table): AsyncIterable<readonly Row[]>;
  /** Of tables that number their rows by themselves: the highest number that was ever given out. */
  numbers(): Promise<ReadonlyMap<string, number>>;
}

/** A database that is filled: without rules for its rows until `commit`. */
export interface NewTables extends Tables {
  /** Takes the rules away, and what a new database has by itself. */
  clear(tables: readonly Table[]): Promise<void>;
  write(table: Table, rows: readonly Row[]): Promise<void>;
  /** Numbers go on after these. */
  number(after: ReadonlyMap<string, number>): Promise<void>;
  /** A value as it is kept there: not every engine can keep every text. */
  kept(value: Value): Value;
  /**
   * Puts the rules back, holds every row against them, and keeps it all.
   *
   * @throws UserError for a row that breaks them
   */
  commit(): Promise<void>;
}

/** What a new database has by itself. */
const born: ReadonlySet<string> = new Set(['counters', 'epochs', 'events', 'vitals']);

/** The first table that has rows, of those that are empty in a new database. */
export async function firstInUse(
  tables: Tables,
  all: readonly Table[],
): Promise<string | undefined> {
  for (const table of all) {
    if (born.has(table.name)) continue;
    for await (const rows of tables.rows(table)) if (rows.length > 0) return table.name;
  }
  return undefined;
}

export interface MoveOptions {
  readonly from: Tables;
  readonly to: NewTables;
  readonly tables: readonly Table[];
  readonly signal: AbortSignal;
  /** `what` is done to so many rows so far. */
  readonly onRows: (what: 'copied' | 'compared', rows: number) => void;
}

/**
 * Copies every row, reads both sides again, and keeps the copy if they are the same.
 *
 * @returns rows of each table
 * @throws UserError when a row is not the same, which leaves the new database as it was
 */
export async function moveRows(options: MoveOptions): Promise<ReadonlyMap<string, number>> {
  const { from, to, tables } = options;
  await to.clear(tables);
  const copied = await copyRows(options);
  await to.number(await from.numbers());
  let compared = 0;
  for (const table of tables) {
    for await (const _ of samePairs(options, table)) {
      if (++compared % rowsAtOnce === 0) options.onRows('compared', compared);
      options.signal.throwIfAborted();
    }
  }
  await to.commit();
  return copied;
}

async function copyRows({ from, to, tables, signal, onRows }: MoveOptions) {
  const counts = new Map<string, number>();
  let copied = 0;
  for (const table of tables) {
    let count = 0;
    for await (const rows of from.rows(table)) {
      signal.throwIfAborted();
      await to.write(
        table,
        rows.map((row) => row.map((value) => to.kept(value))),
      );
      count += rows.length;
      copied += rows.length;
      onRows('copied', copied);
    }
    counts.set(table.name, count);
  }
  return counts;
}

/** @throws UserError at the first pair of rows that differ */
async function* samePairs({ from, to }: MoveOptions, table: Table): AsyncGenerator<Row> {
  const copies = oneByOne(to.rows(table));
  for await (const row of oneByOne(from.rows(table))) {
    const { value: copy } = await copies.next();
    const isSame = copy && row.every((value, i) => Object.is(to.kept(value), copy[i]));
    if (!isSame) throw differs(table, row);
    yield row;
  }
  const { value: tooMany } = await copies.next();
  if (tooMany) throw differs(table, tooMany);
}

async function* oneByOne(batches: AsyncIterable<readonly Row[]>): AsyncGenerator<Row, undefined> {
  for await (const batch of batches) yield* batch;
}

function differs({ name, columns, key }: Table, row: Row): UserError {
  const where = key.map((column) => `${column} ${row[columns.indexOf(column)]}`).join(', ');
  return new UserError(
    `the copy of a row of ${name} (${where}) is not the same: nothing was moved`,
  );
}
