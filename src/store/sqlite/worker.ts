import { statSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { codeOf, messageOf, UserError } from '../../core/errors.js';
import { describeTrouble } from '../../core/system-trouble.js';
import type { Call } from '../call.js';
import { type ConnectionOptions, openConnection } from './connection.js';
import { groupCommit, inOneView, type Outcome, prepare } from './group-commit.js';
import { migrate } from './migrate.js';
import { takeOwnership } from './ownership.js';

/**
 * A database thread: opens its connection, then takes groups of calls and
 * answers each group as a whole.
 */
export type ToThread =
  | { readonly type: 'run'; readonly calls: readonly Call[] }
  | { readonly type: 'checkpoint'; readonly mode: CheckpointMode }
  | { readonly type: 'close' };

/** PASSIVE copies what it can beside readers and writer; TRUNCATE also empties the log. */
export type CheckpointMode = 'PASSIVE' | 'TRUNCATE';

export type FromThread =
  | { readonly type: 'ready' }
  | { readonly type: 'refused'; readonly message: string; readonly exitCode: number }
  | { readonly type: 'done'; readonly outcomes: readonly Outcome[]; readonly durationMs: number }
  | {
      readonly type: 'checkpointed';
      /** Pages in the log, and how many of them are in the database too. */
      readonly log: number;
      readonly copied: number;
      readonly durationMs: number;
    };

/** The check on start reads the whole file, so it is left out for large ones. */
const largestCheckedBytes = 64 * 2 ** 20;

function serve(options: ConnectionOptions): void {
  const port = parentPort as NonNullable<typeof parentPort>;
  const answer = (message: FromThread) => port.postMessage(message);
  let release = () => {};
  let opened: Opened;
  try {
    if (options.access === 'write') release = takeOwnership(options.path, Date.now());
    opened = open(options);
  } catch (error) {
    release();
    const { message, exitCode } = inWords(error, options.path);
    answer({ type: 'refused', message, exitCode });
    port.close();
    return;
  }
  const { db, run } = opened;
  port.on('message', (message: ToThread) => {
    const startedAt = performance.now();
    const took = () => performance.now() - startedAt;
    if (message.type === 'run') {
      const outcomes = run(message.calls);
      answer({ type: 'done', outcomes, durationMs: took() });
    } else if (message.type === 'checkpoint') {
      const pages = checkpoint(db, message.mode);
      answer({ type: 'checkpointed', ...pages, durationMs: took() });
    } else {
      db.close();
      release();
      port.close();
    }
  });
  answer({ type: 'ready' });
}

interface Opened {
  readonly db: Database;
  readonly run: (calls: readonly Call[]) => readonly Outcome[];
}

function open(options: ConnectionOptions): Opened {
  const db = openConnection(options);
  const writes = options.access === 'write';
  try {
    if (writes) {
      migrate(db);
      check(db);
    }
    const runners = prepare(db, options.access);
    return { db, run: writes ? groupCommit(db, runners) : inOneView(db, runners) };
  } catch (error) {
    db.close();
    throw error;
  }
}

function checkpoint(db: Database, mode: CheckpointMode): { log: number; copied: number } {
  try {
    const [row] = db.pragma(`wal_checkpoint(${mode})`) as { log: number; checkpointed: number }[];
    return { log: row?.log ?? 0, copied: row?.checkpointed ?? 0 };
  } catch {
    // Another connection is in the way, or the disk fails: then the next write fails too.
    return { log: 1, copied: 0 };
  }
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

if (parentPort) serve(workerData as ConnectionOptions);
