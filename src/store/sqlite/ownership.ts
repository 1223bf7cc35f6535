import { hostname } from 'node:os';
import Database from 'better-sqlite3';
import { codeOf, UserError } from '../../core/errors.js';

/**
 * Makes this process the one master of a database file, across processes and containers
 * that share the disk. It holds a small SQLite file beside the database under a RESERVED
 * lock for as long as it lives: the kernel frees the lock however the process ends, and
 * other processes can still read whose it is.
 *
 * @returns a function that gives the ownership up
 * @throws UserError naming the master that owns the file
 */
export function takeOwnership(databasePath: string, now: number): () => void {
  const db = new Database(`${databasePath}.owner`, { timeout: 0 });
  try {
    db.pragma('journal_mode = DELETE');
    db.exec('BEGIN IMMEDIATE');
    db.exec('CREATE TABLE IF NOT EXISTS owner (pid INTEGER, host TEXT, since TEXT) STRICT');
    db.exec('DELETE FROM owner');
    db.prepare('INSERT INTO owner VALUES (?, ?, ?)').run(
      process.pid,
      hostname(),
      new Date(now).toISOString(),
    );
    db.exec('COMMIT');
    db.exec('BEGIN IMMEDIATE');
  } catch (error) {
    const owner = codeOf(error)?.startsWith('SQLITE_BUSY') ? describeOwner(db) : undefined;
    db.close();
    if (owner === undefined) throw error;
    throw new UserError(
      `${databasePath} belongs to another master${owner}: stop that one, or give this one another data.directory`,
    );
  }
  return () => db.close();
}

function describeOwner(db: Database.Database): string {
  try {
    const row = db.prepare('SELECT pid, host, since FROM owner').get() as
      | { pid: number; host: string; since: string }
      | undefined;
    return row ? ` (process ${row.pid} on ${row.host}, since ${row.since})` : '';
  } catch {
    return ''; // the owner is writing its name just now
  }
}
