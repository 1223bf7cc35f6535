import { DomainError } from '../../core/errors.js';
import type { Call, Settled } from '../call.js';
import { type Attempt, allFailed, attempt, runSet, type Stretch, stretchesOf } from './calls.js';
import { ConnectionLost, PostgresFault } from './faults.js';
import type { Query, Session } from './session.js';

type Outcomes = readonly Settled<unknown>[];

/** The connection was lost during COMMIT: by `xid`, the server knows what became of it. */
export class CommitInDoubt extends Error {
  override readonly name = 'CommitInDoubt';
  constructor(
    readonly xid: string,
    readonly calls: readonly Call[],
    /** What the calls have come to, if it was committed. */
    readonly outcomes: Outcomes,
  ) {
    super('the connection was lost during COMMIT');
  }
}

export interface GroupTerms {
  /** Calls from which a set is taken; usually 2; tests set 1, and Infinity for none. */
  readonly leastOfSet?: number | undefined;
  /** Statements that each transaction begins with. */
  readonly setUp?: (() => readonly Query[]) | undefined;
}

/** How many groups run with savepoints after a failure: failures come in flocks. */
const carefulGroups = 16;
const usualLeastOfSet = 2;

/**
 * Runs all calls in one transaction, one after the other, and answers none before the commit.
 * As on SQLite, a call that fails undoes nothing of the others: a group first runs without
 * savepoints; if one of its calls fails after it has changed something, all is undone and run
 * again with a savepoint for each. A call that was refused before it changed anything, as most
 * are, leaves nothing to undo.
 *
 * Calls beside each other that a set can take (sets/) go as one statement.
 *
 * The group has its transaction id from the start, so that the outcome of a commit whose
 * answer was lost can be asked for.
 */
export class GroupCommit {
  #careful = 0;

  constructor(private readonly terms: GroupTerms = {}) {}

  /** @throws ConnectionLost: nothing was done; CommitInDoubt */
  async run(session: Session, calls: readonly Call[]): Promise<Outcomes> {
    try {
      if (this.#careful > 0) this.#careful--;
      else {
        const outcomes = await inOne(session, calls, this.terms);
        if (outcomes) return outcomes;
        this.#careful = carefulGroups;
      }
      return await inSavepoints(session, calls, this.terms);
    } catch (error) {
      if (error instanceof ConnectionLost || error instanceof CommitInDoubt) throw error;
      session.send({ text: 'ROLLBACK' });
      return allFailed(calls, error);
    }
  }
}

/** @returns undefined when a call has to be undone, and everything was */
async function inOne(
  session: Session,
  calls: readonly Call[],
  { setUp, leastOfSet = usualLeastOfSet }: GroupTerms,
): Promise<Outcomes | undefined> {
  const xid = begin(session, setUp);
  const outcomes: Settled<unknown>[] = [];
  for (const stretch of stretchesOf(calls, leastOfSet)) {
    const settled = await ofStretch(session, stretch);
    if (settled === undefined) {
      await session.query({ text: 'ROLLBACK' });
      return undefined;
    }
    outcomes.push(...settled);
  }
  return commit(session, { xid, calls, outcomes });
}

/** @returns undefined when it has to be undone */
async function ofStretch(
  session: Session,
  { set, calls }: Stretch,
): Promise<Settled<unknown>[] | undefined> {
  let known: readonly (Settled<unknown> | undefined)[] = [];
  try {
    if (set) known = await runSet(session, set, calls);
  } catch (error) {
    if (error instanceof ConnectionLost) throw error;
    return undefined; // one by one it shows whose error it is
  }
  const outcomes: Settled<unknown>[] = [];
  for (const [at, call] of calls.entries()) {
    const done = known[at] ? { outcome: known[at], changed: true } : await attempt(session, call);
    if (hasToBeUndone(done)) return undefined;
    outcomes.push(done.outcome);
  }
  return outcomes;
}

/** An error of a statement ends the transaction, whatever was changed before it. */
const hasToBeUndone = ({ outcome, changed }: Attempt): boolean =>
  !outcome.ok && (changed || !(outcome.error instanceof DomainError));

async function inSavepoints(
  session: Session,
  calls: readonly Call[],
  { setUp }: GroupTerms,
): Promise<Outcomes> {
  const xid = begin(session, setUp);
  const outcomes: Settled<unknown>[] = [];
  for (const call of calls) {
    session.send({ text: 'SAVEPOINT operation' });
    const { outcome } = await attempt(session, call);
    if (!outcome.ok) session.send({ text: 'ROLLBACK TO SAVEPOINT operation' });
    session.send({ text: 'RELEASE SAVEPOINT operation' });
    outcomes.push(outcome);
  }
  return commit(session, { xid, calls, outcomes });
}

/** @returns the id of the transaction, which it has before it draws any number (cluster/mark.ts) */
function begin(session: Session, setUp: GroupTerms['setUp']): Promise<string> {
  session.send({ text: 'BEGIN' });
  for (const query of setUp?.() ?? []) session.send(query);
  const xid = session
    .query({ name: 'xid', text: 'SELECT CAST(pg_current_xact_id() AS text) AS xid' })
    .then(({ rows }) => (rows[0] as { xid: string }).xid);
  xid.catch(() => {}); // the first statement of the group fails as well
  return xid;
}

interface Group {
  readonly xid: Promise<string>;
  readonly calls: readonly Call[];
  readonly outcomes: Outcomes;
}

async function commit(session: Session, { xid, calls, outcomes }: Group): Promise<Outcomes> {
  const known = await xid;
  let command: string;
  try {
    command = (await session.query({ text: 'COMMIT' })).command;
  } catch (error) {
    if (error instanceof ConnectionLost) throw new CommitInDoubt(known, calls, outcomes);
    throw error;
  }
  // PostgreSQL answers the COMMIT of a transaction that has failed with ROLLBACK, and no error.
  if (command === 'COMMIT') return outcomes;
  throw new PostgresFault('25P02', 'a group of writes was rolled back');
}
