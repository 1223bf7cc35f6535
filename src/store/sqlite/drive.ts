import type { Database, Statement as Prepared } from 'better-sqlite3';
import type { Operation } from '../operation.js';
import { everyStatement, type Step } from '../statement.js';
import type { ConnectionOptions } from './connection.js';
import { positional } from './positional.js';

interface Bound {
  readonly prepared: Prepared;
  /** Names of the parameters, by position. */
  readonly names: readonly string[];
}

/** The statements of a connection, by their index; undefined where there is nothing to run. */
type Statements = readonly (Bound | undefined)[];

/**
 * Prepares every statement at once, so that a schema that does not fit is found as the
 * database is opened. A reader has those alone that only read.
 */
export function prepareStatements(db: Database, access: ConnectionOptions['access']): Statements {
  return everyStatement.map(({ text }) => {
    if (text.sqlite === null) return undefined;
    if (access === 'read' && !/^\s*SELECT/.test(text.sqlite)) return undefined;
    const { sql, names } = positional(text.sqlite);
    return { prepared: db.prepare(sql), names };
  });
}

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
  const { prepared, names } = bound;
  // By position: better-sqlite3 takes four times as long to find a parameter by its name.
  const values = new Array<unknown>(names.length);
  for (let i = 0; i < values.length; i++) {
    values[i] = (params as Record<string, unknown>)[names[i] as string];
  }
  if (kind === 'run') return prepared.run(...values).changes;
  return kind === 'one' ? prepared.get(...values) : prepared.all(...values);
}

/** Results of a statement that SQLite has no need of. */
const withoutStatement = { one: undefined, all: [], run: 0 } as const;
