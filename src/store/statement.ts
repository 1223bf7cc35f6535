import { type ByEngine, forEachEngine } from './dialect.js';

/**
 * A named statement: SQL whose parameters are written `@name`, made once, where a module
 * is loaded. An engine prepares it once a connection and finds it again by its `index`.
 */
export class Statement<Params = never, Row = unknown> {
  /** For the compiler: what goes in and comes out. */
  declare readonly types: (params: Params) => Row;

  constructor(
    readonly index: number,
    /** null: this engine has no need of the statement, and leaves it out. */
    readonly text: ByEngine<string | null>,
  ) {}
}

const made: Statement[] = [];

/** Every statement of the modules that are loaded, each at its index. */
export const everyStatement: readonly Statement[] = made;

/**
 * @param text SQL that SQLite and PostgreSQL understand alike, with the pieces of
 *   `sql.ts` where they differ; or a text for each
 */
export function statement<Params extends object, Row = never>(
  text: string | ByEngine<string | null>,
): Statement<Params, Row> {
  const texts = typeof text === 'string' ? forEachEngine(text) : text;
  const next = new Statement<Params, Row>(made.length, texts);
  made.push(next as Statement);
  return next;
}

/**
 * One execution of a statement. `yield*` gives it to the engine that drives the
 * operation, and returns the engine's result.
 *
 * A step is its own iterator, and that iterator's result: it yields itself, and then
 * returns what it was resumed with. So it costs one object, and no generator.
 */
export class Step<Result = unknown> implements Steps<Result> {
  done = true;
  value: unknown;

  constructor(
    readonly kind: 'one' | 'all' | 'page' | 'run' | 'runEach',
    readonly statement: Statement,
    /** Values by name; for `runEach` a list of these. */
    readonly params: object,
  ) {}

  [Symbol.iterator](): this {
    return this;
  }

  next(result?: unknown): IteratorResult<Step, Result> {
    this.done = !this.done;
    this.value = this.done ? result : this;
    return this as IteratorResult<Step, Result>;
  }

  throw(error: unknown): IteratorResult<Step, Result> {
    throw error;
  }
}

/** An operation under way: it yields steps, is resumed with their results, and returns its own. */
export interface Steps<Result> extends IterableIterator<Step, Result, unknown> {
  throw(error: unknown): IteratorResult<Step, Result>;
}

/** The first row; undefined if there is none. */
export const one = <Params extends object, Row>(
  of: Statement<Params, Row>,
  params: Params,
): Step<Row | undefined> => new Step('one', of as Statement, params);

/** All rows. */
export const all = <Params extends object, Row>(
  of: Statement<Params, Row>,
  params: Params,
): Step<Row[]> => new Step('all', of as Statement, params);

/** The first rows, up to a bound of bytes (page-bytes.ts): of texts that callers fill. */
export const page = <Params extends object, Row>(
  of: Statement<Params, Row>,
  params: Params,
): Step<Row[]> => new Step('page', of as Statement, params);

/** How many rows were changed. */
export const run = <Params extends object>(
  of: Statement<Params, unknown>,
  params: Params,
): Step<number> => new Step('run', of as Statement, params);

/** The statement once for each of `params`; how many rows were changed in all. */
export const runEach = <Params extends object>(
  of: Statement<Params, unknown>,
  params: readonly Params[],
): Step<number> => new Step('runEach', of as Statement, params);
