import { statSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { codeOf, UserError } from '../core/errors.js';
import { type ConnectionOptions, openConnection } from './connection.js';
import { toWire, type WireError } from './faults.js';
import { migrate } from './migrate.js';
import { operations } from './ops/index.js';
import { takeOwnership } from './ownership.js';

/**
 * What runs on a database thread: the only code that touches better-sqlite3's
 * connections. It takes groups of calls and answers each group as a whole.
 */
export interface Call {
  readonly operation: string;
  readonly input: unknown;
}

export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: WireError };

export type ToThread =
  | { readonly type: 'run'; readonly calls: readonly Call[] }
  | { readonly type: 'close' };

export type FromThread =
  | { readonly type: 'ready' }
  | { readonly type: 'refused'; readonly message: string; readonly exitCode: number }
  | { readonly type: 'done'; readonly outcomes: readonly Outcome[] };

/** The check on start reads the whole file, so it is left out for large ones. */
const largestCheckedBytes = 64 * 2 ** 20;

type Runner = (input: never) => unknown;

if (parentPort) serve(workerData as ConnectionOptions);

function serve(options: ConnectionOptions): void {
  const port = parentPort as NonNullable<typeof parentPort>;
  const answer = (message: FromThread) => port.postMessage(message);
  let release = () => {};
  let db: Database;
  try {
    if (options.access === 'write') release = takeOwnership(options.path, Date.now());
    db = open(options);
  } catch (error) {
    release();
    const { message, exitCode } = inWords(error, options.path);
    answer({ type: 'refused', message, exitCode });
    port.close();
    return;
  }
  const runners = prepare(db, options.access);
  const run = options.access === 'write' ? groupCommit(db, runners) : eachAlone(db, runners);
  port.on('message', (message: ToThread) => {
    if (message.type === 'run') return answer({ type: 'done', outcomes: run(message.calls) });
    db.close();
    release();
    port.close();
  });
  answer({ type: 'ready' });
}

function open(options: ConnectionOptions): Database {
  const db = openConnection(options);
  try {
    if (options.access === 'write') {
      migrate(db);
      check(db);
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function check(db: Database): void {
  if (statSync(db.name).size > largestCheckedBytes) return;
  const verdict = db.pragma('quick_check(1)', { simple: true });
  if (verdict !== 'ok') throw corrupt(db.name, String(verdict));
}

const corrupt = (path: string, why: string) =>
  new UserError(
    `${path} is not a readable database (${why}): restore a backup, or move it away to start with an empty one`,
  );

/** Why the database cannot be opened, for the person who has to mend it. */
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
  return new UserError(
    `${path} cannot be opened: ${error instanceof Error ? error.message : error}`,
  );
}

function prepare(db: Database, access: ConnectionOptions['access']): Map<string, Runner> {
  const mine = operations.filter((operation) => operation.access === access);
  return new Map(mine.map((operation) => [operation.name, operation.prepare(db) as Runner]));
}

function attempt(runners: Map<string, Runner>, call: Call): Outcome {
  try {
    return { ok: true, value: (runners.get(call.operation) as Runner)(call.input as never) };
  } catch (error) {
    return { ok: false, error: toWire(error) };
  }
}

function eachAlone(db: Database, runners: Map<string, Runner>) {
  // A transaction, so that an operation of several statements sees one state.
  const inOne = db.transaction((call: Call) => attempt(runners, call));
  return (calls: readonly Call[]): Outcome[] =>
    calls.map((call) => {
      try {
        return inOne.deferred(call);
      } catch (error) {
        return { ok: false, error: toWire(error) };
      }
    });
}

/**
 * All calls in one transaction with one fsync, a savepoint each, so that one
 * that fails takes nothing else with it. Nothing is answered before the commit.
 *
 * SQLITE_FULL and a few other errors roll the whole transaction back by
 * themselves; what follows would then run outside of any. So when that happens
 * the group is begun again, each call in a transaction of its own: those that
 * can succeed do, and each failure is its own.
 */
function groupCommit(db: Database, runners: Map<string, Runner>) {
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const rollback = db.prepare('ROLLBACK');
  const savepoint = db.prepare('SAVEPOINT operation');
  const undo = db.prepare('ROLLBACK TO operation');
  const release = db.prepare('RELEASE operation');

  const runInside = (call: Call): Outcome => {
    savepoint.run();
    const outcome = attempt(runners, call);
    if (!db.inTransaction) return outcome;
    if (!outcome.ok) undo.run();
    release.run();
    return outcome;
  };

  const runGroup = (calls: readonly Call[]): Outcome[] => {
    try {
      begin.run();
      const outcomes: Outcome[] = [];
      for (const call of calls) {
        const outcome = runInside(call);
        if (!db.inTransaction) {
          return calls.length === 1 ? [outcome] : calls.flatMap((one) => runGroup([one]));
        }
        outcomes.push(outcome);
      }
      commit.run();
      return outcomes;
    } catch (error) {
      if (db.inTransaction) rollback.run();
      const failed: Outcome = { ok: false, error: toWire(error) };
      return calls.map(() => failed);
    }
  };
  return runGroup;
}
