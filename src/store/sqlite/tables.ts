import { renameSync } from 'node:fs';
import Database from 'better-sqlite3';
import { UserError } from '../../core/errors.js';
import {
  type NewTables,
  quoted,
  type Row,
  rowsAtOnce,
  type Table,
  type Tables,
  type Value,
} from '../tables.js';
import { migrate } from './migrate.js';
import { takeOwnership } from './ownership.js';

/** The file of a master's database, with every row of it. Takes the file as a master does. */
export class SqliteTables implements Tables {
  protected constructor(
    protected readonly db: Database.Database,
    private readonly release: () => void,
  ) {}

  /** @throws UserError when a master has it, or it is not ours */
  static open(path: string, now: number): SqliteTables {
    const release = takeOwnership(path, now);
    try {
      const db = new Database(path, { fileMustExist: true, timeout: 0 });
      migrate(db);
      db.exec('BEGIN');
      return new SqliteTables(db, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  list(): Table[] {
    const names = this.db
      .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
      .pluck()
      .all();
    return names.filter((name) => !name.startsWith('sqlite_')).map((name) => this.#table(name));
  }

  async *rows({ name, columns, key }: Table): AsyncIterable<readonly Row[]> {
    const all = this.db
      .prepare(`SELECT ${quoted(columns)} FROM "${name}" ORDER BY ${quoted(key)}`)
      .raw()
      .iterate() as IterableIterator<Row>;
    let some: Row[] = [];
    for (const row of all) {
      if (some.push(row) < rowsAtOnce) continue;
      yield some;
      some = [];
    }
    if (some.length > 0) yield some;
  }

  async numbers(): Promise<ReadonlyMap<string, number>> {
    const all = this.db
      .prepare<[], [string, number]>('SELECT name, seq FROM sqlite_sequence')
      .raw();
    return new Map(all.all());
  }

  /** Gives the file another name, so that no master opens it any more. */
  putAside(name: string): void {
    const path = this.db.name;
    this.db.close(); // which brings its log into it
    renameSync(path, name);
  }

  /** Idempotent. What was not committed is gone. */
  close(): void {
    this.db.close();
    this.release();
  }

  #table(name: string): Table {
    const info = this.db.pragma(`table_info("${name}")`) as { name: string; pk: number }[];
    return {
      name,
      columns: info.map((column) => column.name),
      key: info
        .filter(({ pk }) => pk > 0)
        .sort((a, b) => a.pk - b.pk)
        .map((column) => column.name),
    };
  }
}

/** A new file. Its triggers are taken away and put back, and no key is looked up until the end. */
export class NewSqliteTables extends SqliteTables implements NewTables {
  readonly #triggers: readonly string[];

  private constructor(db: Database.Database) {
    super(db, () => {});
    db.pragma('foreign_keys = OFF');
    db.exec('BEGIN');
    const triggers = db
      .prepare<[], { name: string; sql: string }>(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'",
      )
      .all();
    this.#triggers = triggers.map(({ sql }) => sql);
    for (const { name } of triggers) db.exec(`DROP TRIGGER "${name}"`);
  }

  static make(path: string): NewSqliteTables {
    const db = new Database(path, { timeout: 0 });
    try {
      db.pragma('synchronous = FULL');
      migrate(db);
      return new NewSqliteTables(db);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  async clear(tables: readonly Table[]): Promise<void> {
    for (const { name } of tables) this.db.exec(`DELETE FROM "${name}"`);
  }

  async write({ name, columns }: Table, rows: readonly Row[]): Promise<void> {
    const values = columns.map(() => '?').join(', ');
    const insert = this.db.prepare(`INSERT INTO "${name}" (${quoted(columns)}) VALUES (${values})`);
    for (const row of rows) insert.run(...row);
  }

  async number(after: ReadonlyMap<string, number>): Promise<void> {
    this.db.exec('DELETE FROM sqlite_sequence');
    const insert = this.db.prepare(
      `INSERT INTO sqlite_sequence (name, seq) SELECT name, @last FROM sqlite_schema
       WHERE name = @name AND sql LIKE '%AUTOINCREMENT%'`,
    );
    for (const [name, last] of after) insert.run({ name, last });
  }

  kept(value: Value): Value {
    return value;
  }

  async commit(): Promise<void> {
    for (const sql of this.#triggers) this.db.exec(sql);
    const [orphan] = this.db.pragma('foreign_key_check') as { table: string; parent: string }[];
    if (orphan) {
      throw new UserError(
        `a row of ${orphan.table} refers to one of ${orphan.parent} that is not there`,
      );
    }
    this.db.exec('COMMIT');
  }
}
