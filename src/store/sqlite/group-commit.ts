import type { Database } from 'better-sqlite3';
import type { Call } from '../call.js';
import { appendAudit, withMade } from '../ops/audit/append-audit.js';
import { operations } from '../ops/index.js';
import type { ConnectionOptions } from './connection.js';
import { drive, prepareStatements } from './drive.js';
import { toWire, type WireError } from './faults.js';

/** How a call ended, as it travels back from a thread. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: WireError };

type Runner = (input: never) => unknown;

/** The operations of this access, their statements prepared. */
export function prepare(db: Database, access: ConnectionOptions['access']): Map<string, Runner> {
  const statements = prepareStatements(db, access);
  const mine = operations.filter((operation) => operation.access === access);
  return new Map(
    mine.map((operation) => [operation.name, (input) => drive(statements, operation, input)]),
  );
}

const run = (runners: Map<string, Runner>, operation: string, input: unknown): unknown =>
  (runners.get(operation) as Runner)(input as never);

function attempt(runners: Map<string, Runner>, call: Call): Outcome {
  try {
    const value = run(runners, call.operation, call.input);
    if (call.audit) run(runners, appendAudit.name, withMade(call.audit, call.input, value));
    return { ok: true, value };
  } catch (error) {
    return { ok: false, error: toWire(error) };
  }
}

/** Runs the calls of a reader in one transaction, so that all statements see one state. */
export function inOneView(db: Database, runners: Map<string, Runner>) {
  const begin = db.prepare('BEGIN');
  const end = db.prepare('COMMIT');
  return (calls: readonly Call[]): Outcome[] => {
    try {
      begin.run();
      const outcomes = calls.map((call) => attempt(runners, call));
      // Some errors of the disk end the transaction by themselves.
      if (db.inTransaction) end.run();
      return outcomes;
    } catch (error) {
      return allFailed(db, calls, error);
    }
  };
}

/** How many groups run with savepoints after a failure: failures come in flocks. */
const carefulGroups = 16;

/**
 * Runs all calls in one transaction with one fsync, and answers none before the commit. A
 * call that fails undoes nothing of the others. A savepoint for each would do, and costs
 * as much as a small write: so a group first runs without, and only if one of its calls
 * fails, all is undone and run again with a savepoint for each.
 *
 * SQLITE_FULL and a few other errors roll the whole transaction back by themselves, and
 * later statements would then run outside of any. So after such an error the group begins
 * again, each call in a transaction of its own: those that can succeed do.
 */
export function groupCommit(db: Database, runners: Map<string, Runner>) {
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const rollback = db.prepare('ROLLBACK');
  const savepoint = db.prepare('SAVEPOINT operation');
  const undo = db.prepare('ROLLBACK TO operation');
  const release = db.prepare('RELEASE operation');
  let careful = 0;

  const runInside = (call: Call): Outcome => {
    savepoint.run();
    const outcome = attempt(runners, call);
    if (!db.inTransaction) return outcome;
    if (!outcome.ok) undo.run();
    release.run();
    return outcome;
  };

  const inSavepoints = (calls: readonly Call[]): Outcome[] => {
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
  };

  /** @returns undefined when a call has failed, and everything was undone */
  const inOne = (calls: readonly Call[]): Outcome[] | undefined => {
    begin.run();
    const outcomes: Outcome[] = [];
    for (const call of calls) {
      const outcome = attempt(runners, call);
      if (!outcome.ok) {
        if (db.inTransaction) rollback.run();
        return undefined;
      }
      outcomes.push(outcome);
    }
    commit.run();
    return outcomes;
  };

  const runGroup = (calls: readonly Call[]): Outcome[] => {
    try {
      if (careful > 0) careful--;
      else {
        const outcomes = inOne(calls);
        if (outcomes) return outcomes;
        careful = carefulGroups;
      }
      return inSavepoints(calls);
    } catch (error) {
      return allFailed(db, calls, error);
    }
  };
  return runGroup;
}

/** The outcomes of a group that could not begin or commit: nothing of it has happened. */
function allFailed(db: Database, calls: readonly Call[], error: unknown): Outcome[] {
  if (db.inTransaction) db.exec('ROLLBACK');
  const failed: Outcome = { ok: false, error: toWire(error) };
  return calls.map(() => failed);
}
