import Database from 'better-sqlite3';
import { codeOf, messageOf, UserError } from '../../core/errors.js';
import { setBlobPlace } from '../ops/blobs/blob-place.js';
import type { BlobPlace } from '../ops/blobs/find-blobs.js';
import { loseBlob } from '../ops/blobs/lose-blob.js';
import { openConnection } from './connection.js';
import { drive, prepareStatements } from './drive.js';
import { isOurs, migrate, newestSchema } from './migrate.js';

/** EX_DATAERR of sysexits.h. */
const dataError = 65;
/** Faults that are reported of one file. */
const mostFaults = 20;

/** A database at rest: one that no master has open. */
export class DatabaseFile {
  readonly #db: Database.Database;

  private constructor(private readonly path: string) {
    this.#db = new Database(path, { readonly: true, fileMustExist: true });
  }

  /** @throws UserError for a file that is no database of this version or an earlier one */
  static open(path: string): DatabaseFile {
    try {
      const file = new DatabaseFile(path);
      try {
        file.#expectKnown();
        return file;
      } catch (error) {
        file.close();
        throw error;
      }
    } catch (error) {
      if (!isDamage(error)) throw error;
      throw new UserError(`${path} is damaged, or no database: ${messageOf(error)}`, dataError);
    }
  }

  /** Everything that is wrong with it, in words: pages, indexes, rows that refer to no row. */
  faults(): string[] {
    try {
      const checked = this.#db.pragma(`integrity_check(${mostFaults})`) as {
        integrity_check: string;
      }[];
      const faults = checked.map((row) => row.integrity_check).filter((text) => text !== 'ok');
      const orphans = this.#db.prepare('PRAGMA foreign_key_check').iterate() as Iterable<{
        table: string;
        parent: string;
      }>;
      for (const { table, parent } of orphans) {
        if (faults.length >= mostFaults) break;
        faults.push(`a row of ${table} refers to one of ${parent} that is not there`);
      }
      return faults;
    } catch (error) {
      if (!isDamage(error)) throw error;
      return [messageOf(error)];
    }
  }

  get schema(): number {
    return this.#db.pragma('user_version', { simple: true }) as number;
  }

  get bytes(): number {
    const pragma = (name: string) => this.#db.pragma(name, { simple: true }) as number;
    return pragma('page_count') * pragma('page_size');
  }

  /** The number of its epoch of fences; 0: none was ever begun. */
  get epoch(): number {
    if (!this.#has('epochs')) return 0;
    return this.#db.prepare('SELECT number FROM epochs').pluck().get() as number;
  }

  /** The bucket that has its blobs; undefined: they are in the data folder. */
  get bucketUrl(): string | undefined {
    if (!this.#has('blob_place')) return undefined;
    return this.#db.prepare('SELECT url FROM blob_place').pluck().get() as string | undefined;
  }

  /** The blobs that its records refer to: how many, and their bytes. */
  get blobTotals(): { count: number; bytes: number } {
    return this.#db
      .prepare(
        `SELECT count(*) AS count, coalesce(sum(size_bytes), 0) AS bytes FROM (${this.#named})`,
      )
      .get() as { count: number; bytes: number };
  }

  /** The blobs that its records refer to, some at a time: files first, then pack by pack, in order. */
  *blobs(atOnce: number): Generator<BlobPlace[]> {
    const rows = this.#db
      .prepare(`${this.#named} ORDER BY pack_id NULLS FIRST, position, sha256`)
      .iterate() as Iterable<BlobPlace>;
    let some: BlobPlace[] = [];
    for (const row of rows) {
      if (some.push(row) < atOnce) continue;
      yield some;
      some = [];
    }
    if (some.length > 0) yield some;
  }

  /** Idempotent. */
  close(): void {
    this.#db.close();
  }

  /** Before there were packs, each blob was a file of its own, and not counted. */
  get #named(): string {
    if (this.#has('blobs')) {
      // What lies in a pack is there for as long as the pack.
      return `SELECT sha256, size_bytes, pack_id, position FROM blobs
        WHERE refs > 0 OR pack_id IS NOT NULL`;
    }
    const crashes = this.#has('crashes')
      ? ' UNION SELECT input_sha256, input_size_bytes FROM crashes'
      : '';
    const entries = this.#has('corpus_entries')
      ? ' UNION SELECT sha256, size_bytes FROM corpus_entries'
      : '';
    return `SELECT sha256, size_bytes, NULL AS pack_id, NULL AS position
      FROM (SELECT sha256, size_bytes FROM artifacts${entries}${crashes})`;
  }

  #has(table: string): boolean {
    const find = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?";
    return this.#db.prepare(find).get(table) !== undefined;
  }

  #expectKnown(): void {
    if (!isOurs(this.#db))
      throw new UserError(`${this.path} is no database of PandaFuzz`, dataError);
    const newest = newestSchema();
    if (this.schema <= newest) return;
    throw new UserError(
      `${this.path} was written by a newer PandaFuzz (schema ${this.schema}, this one knows ${newest}): restore it with that version`,
      dataError,
    );
  }
}

/**
 * Makes a database ready to be a master's: its schema is brought up to date, blobs that are
 * lost have no place any more, so that the next upload of them is kept, and the master that
 * opens it begins a new epoch of fences. Its blobs are in the data folder from then on, unless
 * they stay in their bucket.
 */
export function readyForMaster(
  path: string,
  { lost, isInBucket }: { lost: readonly BlobPlace[]; isInBucket: boolean },
): void {
  const db = openConnection({ path, access: 'write', synchronous: 'full' });
  try {
    migrate(db);
    const statements = prepareStatements(db, 'write');
    const lose = db.transaction(() => {
      for (const place of lost) drive(statements, loseBlob, place);
      if (!isInBucket) drive(statements, setBlobPlace, null);
      db.prepare('UPDATE epochs SET is_copy = 1').run();
    });
    lose.immediate();
    db.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    db.close();
  }
}

const isDamage = (error: unknown): boolean =>
  ['SQLITE_CORRUPT', 'SQLITE_NOTADB', 'SQLITE_CANTOPEN', 'SQLITE_IOERR'].some((code) =>
    codeOf(error)?.startsWith(code),
  );
