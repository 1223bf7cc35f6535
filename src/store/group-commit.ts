import type { Database } from 'better-sqlite3';
import type { ConnectionOptions } from './connection.js';
import { toWire, type WireError } from './faults.js';
import { operations } from './ops/index.js';

/** How a database thread runs the calls it is given. */
export interface Call {
  readonly operation: string;
  readonly input: unknown;
}

export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: WireError };

type Runner = (input: never) => unknown;

/** The operations of this access, their statements prepared. */
export function prepare(db: Database, access: ConnectionOptions['access']): Map<string, Runner> {
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

/** For readers: each call in a transaction, so that all its statements see one state. */
export function eachAlone(db: Database, runners: Map<string, Runner>) {
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
export function groupCommit(db: Database, runners: Map<string, Runner>) {
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
