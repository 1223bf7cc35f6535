import Database from 'better-sqlite3';
import type { Call } from '../../src/store/call.js';
import {
  groupCommit,
  inOneView,
  type Outcome,
  prepare,
} from '../../src/store/sqlite/group-commit.js';
import { migrate } from '../../src/store/sqlite/migrate.js';
import type { Seen } from '../../src/store/witness.js';

/** What a planted fault makes of a call on its way to the database. */
export type Tamper = (call: Call, db: Database.Database) => Call;

type Row = Record<string, unknown>;

/** The tables as they are in a new database, with their rows. */
function contentOf(db: Database.Database): Map<string, Row[]> {
  const names = db
    .prepare<[], string>(`SELECT name FROM sqlite_schema WHERE type = 'table'
      AND name NOT LIKE 'sqlite_%'`)
    .pluck()
    .all();
  return new Map(names.map((name) => [name, db.prepare<[], Row>(`SELECT * FROM ${name}`).all()]));
}

/**
 * The real database, in memory, behind the real operations and group commit. Making one takes
 * longer than a short simulation, so one that was used is emptied for the next.
 */
class Engine {
  readonly db = new Database(':memory:');
  readonly write: (calls: readonly Call[]) => Outcome[];
  readonly read: (calls: readonly Call[]) => Outcome[];
  readonly #content: ReadonlyMap<string, Row[]>;

  constructor() {
    migrate(this.db);
    this.#content = contentOf(this.db);
    this.write = groupCommit(this.db, prepare(this.db, 'write'));
    this.read = inOneView(this.db, prepare(this.db, 'read'));
    this.db.pragma('foreign_keys = ON');
  }

  /** As new. The counters go first: triggers count nothing then. */
  empty(): void {
    const { db } = this;
    db.pragma('foreign_keys = OFF');
    db.transaction(() => {
      db.exec('DELETE FROM counters; DELETE FROM sqlite_sequence');
      for (const name of this.#content.keys()) db.exec(`DELETE FROM ${name}`);
      for (const [name, rows] of this.#content) for (const row of rows) insert(db, name, row);
    })();
    db.pragma('foreign_keys = ON');
  }
}

function insert(db: Database.Database, table: string, row: Row): void {
  const names = Object.keys(row);
  const places = names.map(() => '?').join(', ');
  db.prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${places})`).run(
    Object.values(row),
  );
}

let unused: Engine | undefined;

/** What outlives a master: the database, and the blobs by their hash. */
export class Disk {
  readonly #engine: Engine;
  readonly blobs = new Map<string, number>();
  seen: Seen | undefined;
  /** Jobs that were named in writes since the last look. */
  readonly touched = new Set<string>();
  /** Groups of writes so far. */
  commits = 0;

  constructor(private readonly tamper?: Tamper) {
    this.#engine = unused ?? new Engine();
    unused = undefined;
  }

  get db(): Database.Database {
    return this.#engine.db;
  }

  run(access: 'read' | 'write', calls: readonly Call[]): Outcome[] {
    const { tamper } = this;
    if (access === 'read') return this.#engine.read(calls);
    this.commits++;
    const asked = tamper ? calls.map((call) => tamper(call, this.db)) : calls;
    const outcomes = this.#engine.write(asked);
    for (const [index, { input }] of asked.entries()) {
      this.#touch(input, 'jobId');
      const outcome = outcomes[index];
      if (outcome?.ok) this.#touch(outcome.value, 'id');
    }
    return outcomes;
  }

  /** Nothing of this one is needed any more. */
  close(): void {
    this.#engine.empty();
    unused = this.#engine;
  }

  #touch(value: unknown, key: 'jobId' | 'id'): void {
    const id = (value as Record<string, unknown> | null | undefined)?.[key];
    if (typeof id === 'string') this.touched.add(id);
  }
}
