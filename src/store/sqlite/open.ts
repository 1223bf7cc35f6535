import { statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { codeOf, messageOf, UserError } from '../../core/errors.js';
import { describeTrouble } from '../../core/system-trouble.js';
import type { Call } from '../call.js';
import { type ConnectionOptions, openConnection } from './connection.js';
import type { Outcome } from './group-commit.js';
import { takeOwnership } from './ownership.js';

/** The check on start reads the whole file, so it is left out for large ones. */
const largestCheckedBytes = 64 * 2 ** 20;

/** A connection that is ready: for one thread. */
export interface OpenedDatabase {
  readonly db: Database;
  /** Runs a group; its outcomes come in the order of its calls. */
  readonly run: (calls: readonly Call[]) => readonly Outcome[];
  /** Closes the connection; the writer's gives up ownership too. */
  readonly close: () => void;
}

/**
 * Opens the database for what a thread does there: the writer takes ownership and brings the
 * schema up to date.
 *
 * @throws UserError with the reason why it cannot be opened, and what to do, for people
 */
export async function openDatabase(options: ConnectionOptions): Promise<OpenedDatabase> {
  let release = () => {};
  try {
    if (options.access === 'write') release = takeOwnership(options.path, Date.now());
    const { db, run } = await open(options);
    const close = () => {
      db.close();
      release();
    };
    return { db, run, close };
  } catch (error) {
    release();
    throw inWords(error, options.path);
  }
}

async function open(options: ConnectionOptions): Promise<Omit<OpenedDatabase, 'close'>> {
  const db = openConnection(options);
  try {
    return { db, run: await runnerOf(db, options.access) };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** What upkeep has no use for, it does not load: some 130 files. */
async function runnerOf(db: Database, access: ConnectionOptions['access']) {
  if (access === 'upkeep') return () => [];
  const { groupCommit, inOneView, prepare } = await import('./group-commit.js');
  if (access === 'read') return inOneView(db, prepare(db, access));
  const { migrate } = await import('./migrate.js');
  migrate(db);
  check(db);
  return groupCommit(db, prepare(db, access));
}

function check(db: Database): void {
  if (statSync(db.name).size > largestCheckedBytes) return;
  const verdict = db.pragma('quick_check(1)', { simple: true });
  if (verdict !== 'ok') throw corrupt(db.name, String(verdict));
}

function corrupt(path: string, why: string): UserError {
  return new UserError(
    `${path} is not a readable database (${why}): restore a backup, or move it away to start with an empty one`,
  );
}

/** The reason why the database cannot be opened, and what to do, for people. */
function inWords(error: unknown, path: string): UserError {
  if (error instanceof UserError) return error;
  const code = codeOf(error) ?? '';
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) return corrupt(path, code);
  if (/^SQLITE_FULL/.test(code)) return new UserError(`${path}: the disk is full: free some space`);
  if (/^SQLITE_(CANTOPEN|READONLY|PERM|AUTH)/.test(code)) {
    return new UserError(
      `${path} cannot be opened (${code}): check the folder and its permissions`,
    );
  }
  if (/^SQLITE_BUSY/.test(code)) {
    return new UserError(`${path} is locked by another program: end it and start again`);
  }
  if (/^SQLITE_IOERR/.test(code)) {
    return new UserError(
      `${path} cannot be read or written (${code}): check the disk, and the log of the system`,
    );
  }
  return new UserError(
    `${path} cannot be opened: ${describeTrouble(error, path) ?? messageOf(error)}`,
  );
}
