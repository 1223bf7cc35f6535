import type { Operation } from '../operation.js';
import { mostPageBytes, pageOf, rowBytes } from '../page-bytes.js';
import type { Statement, Step, Steps } from '../statement.js';
import { positional } from './positional.js';
import type { Query, Session } from './session.js';
import { storable } from './storable.js';

/** A statement as PostgreSQL takes it. */
interface Compiled {
  readonly name: string;
  readonly text: string;
  /** Its parameters, in the order of their positions. */
  readonly names: readonly string[];
  /** It changes nothing. */
  readonly isRead: boolean;
}

const compiled: (Compiled | null)[] = [];

function compile({ index, text }: Statement): Compiled | null {
  if (text.postgres === null) return null;
  const { sql, names } = positional(text.postgres);
  return { name: `s${index}`, text: sql, names, isRead: /^\s*SELECT/.test(sql) };
}

/** null: PostgreSQL has no need of the statement. */
const compiledOf = (statement: Statement): Compiled | null => {
  const known = compiled[statement.index];
  if (known !== undefined) return known;
  const made = compile(statement);
  compiled[statement.index] = made;
  return made;
};

const queryOf = ({ name, text, names }: Compiled, params: object): Query => ({
  name,
  text,
  values: names.map((one) => storable((params as Record<string, unknown>)[one])),
});

/** What an operation has done so far. */
export interface Progress {
  /** A statement that may change rows was run. */
  changed: boolean;
}

/** Runs an operation from its first step to its result. An error of a step is thrown into it. */
export function drive<Input, Output>(
  session: Session,
  operation: Operation<Input, Output>,
  input: Input,
  progress: Progress,
): Promise<Output> {
  return driveSteps(session, operation.steps(input), progress);
}

/** As `drive`, for a part of an operation. */
export async function driveSteps<Output>(
  session: Session,
  steps: Steps<Output>,
  progress: Progress,
): Promise<Output> {
  let next = steps.next();
  while (!next.done) {
    let result: unknown;
    try {
      result = await perform(session, next.value, progress);
    } catch (error) {
      next = steps.throw(error);
      continue;
    }
    next = steps.next(result);
  }
  return next.value;
}

async function perform(session: Session, step: Step, progress: Progress): Promise<unknown> {
  const { kind, params } = step;
  const statement = compiledOf(step.statement);
  if (statement === null) return withoutStatement[kind];
  if (!statement.isRead) progress.changed = true;
  if (kind === 'runEach') return runEach(session, statement, params as readonly object[]);
  if (kind === 'page') return page(session, queryOf(statement, params));
  const { rows, rowCount } = await session.query(queryOf(statement, params));
  if (kind === 'run') return rowCount ?? 0;
  if (kind === 'one') return rows[0];
  return rows;
}

/** Rows of a page that are asked for before it is known how large they are. */
const firstRows = 50;
const mostRows = 1000;
let pages = 0;

/** Rows come in slices, so that no more of them is in memory than about a page has. */
async function page(session: Session, { text, values }: Query): Promise<unknown[]> {
  const cursor = `page_${++pages}`;
  const opened = session.query({ text: `DECLARE ${cursor} NO SCROLL CURSOR FOR ${text}`, values });
  const rows: unknown[] = [];
  let bytes = 0;
  for (let wanted = firstRows; ; ) {
    // The first slice is asked for with the cursor; an error of that is thrown before its own.
    const [, next] = await Promise.all([
      opened,
      session.query({ text: `FETCH ${wanted} FROM ${cursor}` }),
    ]);
    for (const row of next.rows) bytes += rowBytes(row as object);
    rows.push(...next.rows);
    if (next.rows.length < wanted || bytes >= mostPageBytes) break;
    const average = Math.max(bytes / rows.length, 1);
    wanted = Math.max(1, Math.min(mostRows, Math.ceil((mostPageBytes - bytes) / average)));
  }
  session.send({ text: `CLOSE ${cursor}` });
  return pageOf(rows);
}

/** Statements of one step that are on their way at once: bounds what waits in the socket. */
const onTheirWay = 64;

async function runEach(
  session: Session,
  statement: Compiled,
  params: readonly object[],
): Promise<number> {
  let changes = 0;
  for (let at = 0; at < params.length; at += onTheirWay) {
    const sent = params.slice(at, at + onTheirWay).map((each) => {
      return session.query(queryOf(statement, each));
    });
    // All have ended before the first failure is thrown: none is left without a listener.
    const settled = await Promise.allSettled(sent);
    for (const one of settled) {
      if (one.status === 'rejected') throw one.reason;
      changes += one.value.rowCount ?? 0;
    }
  }
  return changes;
}

/** Results of a statement that PostgreSQL has no need of. */
const withoutStatement = { one: undefined, all: [], page: [], run: 0, runEach: 0 } as const;
