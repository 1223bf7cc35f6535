import Database from 'better-sqlite3';
import type { Call } from '../../src/store/call.js';
import { groupCommit, inOneView, type Outcome, prepare } from '../../src/store/sqlite/group-commit.js';
import { migrate } from '../../src/store/sqlite/migrate.js';
import type { Seen } from '../../src/store/witness.js';

/** What a planted fault makes of a call on its way to the database. */
export type Tamper = (call: Call, db: Database.Database) => Call;

/** A database with the newest schema: bringing one there takes longer than a short simulation. */
let fresh: Buffer | undefined;

function freshDatabase(): Database.Database {
  if (!fresh) {
    const template = new Database(':memory:');
    migrate(template);
    fresh = template.serialize();
    template.close();
  }
  return new Database(fresh);
}

/**
 * What outlives a master: the real database, in memory, behind the real operations and
 * group commit, and the blobs by their hash.
 */
export class Disk {
  readonly db = freshDatabase();
  readonly blobs = new Map<string, number>();
  seen: Seen | undefined;
  /** Groups of writes so far. */
  commits = 0;
  readonly #write: (calls: readonly Call[]) => Outcome[];
  readonly #read: (calls: readonly Call[]) => Outcome[];

  constructor(private readonly tamper?: Tamper) {
    this.db.pragma('foreign_keys = ON');
    this.db.pragma('temp_store = MEMORY');
    this.#write = groupCommit(this.db, prepare(this.db, 'write'));
    this.#read = inOneView(this.db, prepare(this.db, 'read'));
  }

  run(access: 'read' | 'write', calls: readonly Call[]): Outcome[] {
    if (access === 'read') return this.#read(calls);
    this.commits++;
    const { tamper } = this;
    return this.#write(tamper ? calls.map((call) => tamper(call, this.db)) : calls);
  }

  close(): void {
    this.db.close();
  }
}
