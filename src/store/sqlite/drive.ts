import type { Database, Statement as Prepared } from 'better-sqlite3';
import type { Operation } from '../operation.js';
import { pageOf } from '../page-bytes.js';
import { everyStatement, type Step } from '../statement.js';
import type { ConnectionOptions } from './connection.js';
import { positional } from './positional.js';

/** A prepared statement that takes its parameters by name. */
interface Bound {
  run: (params: object) => { changes: number };
  one: (params: object) => unknown;
  all: (params: object) => unknown[];
  page: (params: object) => unknown[];
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
    return bind(db.prepare(sql), names);
  });
}

/**
 * Parameters go to SQLite by position, as better-sqlite3 takes 80 ns to find one by its
 * name. Each statement has functions of its own for that, made of its names, which are
 * words of our own texts: in a function that all statements share, V8 has to look up every
 * property anew, which is 2 to 3 % of a claim. Each is made as it is first called, and then
 * stands in its own place: 1,200 of them take a tenth of a second.
 */
function bind(prepared: Prepared, names: readonly string[]): Bound {
  const values = names.map((name) => `params.${name}`).join(', ');
  const calling = (method: 'run' | 'get' | 'all' | 'iterate') =>
    new Function('prepared', `return (params) => prepared.${method}(${values})`)(prepared);
  const bound: Bound = {
    run(params) {
      bound.run = calling('run');
      return bound.run(params);
    },
    one(params) {
      bound.one = calling('get');
      return bound.one(params);
    },
    all(params) {
      bound.all = calling('all');
      return bound.all(params);
    },
    page(params) {
      const iterate = calling('iterate');
      bound.page = (of) => pageOf(iterate(of));
      return bound.page(params);
    },
  };
  return bound;
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
  if (kind === 'run') return bound.run(params).changes;
  if (kind !== 'runEach') return bound[kind](params);
  let changes = 0;
  for (const each of params as readonly object[]) changes += bound.run(each).changes;
  return changes;
}

/** Results of a statement that SQLite has no need of. */
const withoutStatement = { one: undefined, all: [], page: [], run: 0, runEach: 0 } as const;
