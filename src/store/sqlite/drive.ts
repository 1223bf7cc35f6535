import type { Database, Statement as Prepared } from 'better-sqlite3';
import type { Operation } from '../operation.js';
import { everyStatement, type Step } from '../statement.js';
import type { ConnectionOptions } from './connection.js';
import { positional } from './positional.js';

interface Bound {
  readonly prepared: Prepared;
  /** The values of a statement's parameters, in its order. */
  readonly valuesOf: (params: object) => unknown[];
}

/** The statements of a connection, by their index; undefined where there is nothing to run. */
type Statements = readonly (Bound | undefined)[];

/**
 * Prepares every statement at once, so that a schema that does not fit is found as the
 * database is opened. A reader has only the statements that read.
 */
export function prepareStatements(db: Database, access: ConnectionOptions['access']): Statements {
  return everyStatement.map(({ text }) => {
    if (text.sqlite === null) return undefined;
    if (access === 'read' && !/^\s*SELECT/.test(text.sqlite)) return undefined;
    const { sql, names } = positional(text.sqlite);
    return { prepared: db.prepare(sql), valuesOf: valuesBy(names) };
  });
}

/**
 * By position, as better-sqlite3 takes 80 ns to find a parameter by its name, and by a
 * function of the statement's own: in one that all share, V8 looks each property up anew,
 * which is 3 % of a claim. The names are words of our own statements.
 */
const valuesBy = (names: readonly string[]) =>
  new Function('params', `return [${names.map((name) => `params.${name}`)}]`) as Bound['valuesOf'];

/** Runs an operation from its first step to its result. An error of a step is thrown into it. */
export function drive<Input, Output>(
  statements: Statements,
  operation: Operation<Input, Output>,
  input: Input,
): Output {
  const steps = operation.steps(input);
  let next = steps.next();
  while (!next.done) {
    let result: unknown;
    try {
      result = perform(statements, next.value);
    } catch (error) {
      next = steps.throw(error);
      continue;
    }
    next = steps.next(result);
  }
  return next.value;
}

function perform(statements: Statements, { kind, statement, params }: Step): unknown {
  const bound = statements[statement.index];
  if (bound === undefined) return withoutStatement[kind];
  const { prepared, valuesOf } = bound;
  if (kind === 'run') return prepared.run(...valuesOf(params)).changes;
  if (kind === 'one') return prepared.get(...valuesOf(params));
  if (kind === 'all') return prepared.all(...valuesOf(params));
  let changes = 0;
  for (const each of params as readonly object[]) {
    changes += prepared.run(...valuesOf(each)).changes;
  }
  return changes;
}

/** Results of a statement that SQLite has no need of. */
const withoutStatement = { one: undefined, all: [], run: 0, runEach: 0 } as const;
