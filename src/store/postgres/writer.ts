import { type Clock, sleep } from '../../core/clock.js';
import { ShuttingDownError, UserError } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { backoffMs } from '../../core/retry.js';
import type { Call, Settled } from '../call.js';
import type { LaneThread } from '../lane.js';
import { allFailed } from './calls.js';
import { inTurn } from './cluster/turn.js';
import {
  ConnectionLost,
  isRetryableError,
  OwnershipLost,
  PostgresFault,
  UnknownOutcome,
} from './faults.js';
import { CommitInDoubt, GroupCommit, type GroupTerms } from './group-commit.js';
import { migrate } from './migrate.js';
import { heldByOther, lockAgain, lockForStart, writeOwner, writerName } from './owner.js';
import { Session, type SessionOptions } from './session.js';

type Outcomes = readonly Settled<unknown>[];

export interface WriterOptions extends Omit<SessionOptions, 'name'>, GroupTerms {
  /** Names this start of the master: a new id. */
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Other masters may have the database, too. */
  readonly isShared: boolean;
  /** Called when the database belongs to another master: this one has to end. */
  readonly onFailure: (error: Error) => void;
}

const pauses = { firstDelayMs: 50, maxDelayMs: 1_000, multiplier: 2 } as const;
/** How long a group waits for a connection. Callers beyond it are answered, and may ask again. */
const waitForConnectionMs = 2_000;
/** How long a start waits for the lock: a killed master's session ends within a second or so. */
const waitForLockMs = 3_000;

/**
 * The one session that writes, with the lock of the database. When it is lost, the next group
 * opens another one; a commit whose answer was lost with it is asked for first.
 */
export class Writer implements LaneThread {
  readonly #groups: GroupCommit;
  readonly #closing = new AbortController();

  private constructor(
    private readonly options: WriterOptions,
    private session: Session,
  ) {
    this.#groups = new GroupCommit(options);
  }

  /**
   * Takes the database, and makes its tables where there are none.
   *
   * @throws UserError in words; faults
   */
  static async open(options: WriterOptions): Promise<Writer> {
    const session = await openSession(options);
    try {
      await takeForStart(session, options);
      await inTurn(session, () => migrate(session));
      const since = new Date(options.clock.now());
      if (!options.isShared) await writeOwner(session, options.instance, since);
      return new Writer(options, session);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  async run(calls: readonly Call[]): Promise<{ outcomes: Outcomes; durationMs: number }> {
    const startedAt = performance.now();
    const outcomes = await this.#outcomesOf(calls);
    return { outcomes, durationMs: performance.now() - startedAt };
  }

  /** Names the database: of one that was copied, the copy has the same. */
  async databaseId(): Promise<string> {
    const { rows } = await this.session.query({
      text: 'SELECT database_id FROM schema_version WHERE id = 1',
    });
    return (rows[0] as { database_id: string }).database_id;
  }

  /** Waits for no server any more: what is queued runs while there is a connection. */
  stopWaiting(): void {
    this.#closing.abort(new ShuttingDownError());
  }

  close(): Promise<void> {
    this.stopWaiting();
    return this.session.close();
  }

  async #outcomesOf(calls: readonly Call[]): Promise<Outcomes> {
    try {
      const session = await this.#owned(waitForConnectionMs);
      return await this.#groups.run(session, calls);
    } catch (error) {
      if (error instanceof CommitInDoubt) return this.#settle(error);
      if (error instanceof OwnershipLost) {
        this.options.onFailure(error);
        throw error;
      }
      return allFailed(calls, error);
    }
  }

  /** The session, or a new one in its place. */
  async #owned(patienceMs: number): Promise<Session> {
    if (!this.session.isLost) return this.session;
    const { clock, log } = this.options;
    const until = clock.monotonic() + patienceMs;
    for (let retry = 1; ; retry++) {
      try {
        this.session = await this.#openAgain();
        log.warn('database connected again');
        return this.session;
      } catch (error) {
        const pauseMs = backoffMs(pauses, retry);
        if (!isRetryableError(error) || clock.monotonic() + pauseMs > until) throw error;
        await sleep(clock, pauseMs, this.#closing.signal);
      }
    }
  }

  async #openAgain(): Promise<Session> {
    const session = await openSession(this.options);
    try {
      await lockAgain(session, this.options);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /** Asks for the outcome of a commit until the server can say it. */
  async #settle({ xid, calls, outcomes }: CommitInDoubt): Promise<Outcomes> {
    const { log, clock } = this.options;
    log.warn({ calls: calls.length }, 'connection lost during a commit');
    try {
      for (let retry = 1; ; retry++) {
        const status = await this.#statusOf(xid);
        if (status !== 'in progress') log.warn({ status }, 'outcome of a lost commit');
        if (status === 'committed') return outcomes;
        if (status === 'aborted') return allFailed(calls, new ConnectionLost('a commit was lost'));
        if (status === undefined) return allFailed(calls, new UnknownOutcome());
        await sleep(clock, backoffMs(pauses, retry), this.#closing.signal);
      }
    } catch (error) {
      if (error instanceof OwnershipLost) this.options.onFailure(error);
      log.error({ err: error }, 'outcome of a lost commit is not known');
      return allFailed(calls, new UnknownOutcome());
    }
  }

  /** undefined: the server has forgotten the transaction. */
  async #statusOf(xid: string): Promise<string | undefined> {
    try {
      const session = await this.#owned(Number.POSITIVE_INFINITY);
      const { rows } = await session.query({
        text: 'SELECT pg_xact_status(CAST($1 AS xid8)) AS status',
        values: [xid],
      });
      return (rows[0] as { status: string | null }).status ?? undefined;
    } catch (error) {
      if (isRetryableError(error)) return 'in progress';
      // A server that was promoted without it has not given the number out yet.
      if (error instanceof PostgresFault && error.code === idOfTheFuture) return 'aborted';
      throw error;
    }
  }
}

const idOfTheFuture = '22023';
/** A wait that ends by itself soon. */
const untilDone = new AbortController().signal;

const openSession = ({ instance, ...options }: WriterOptions): Promise<Session> =>
  Session.open({ ...options, name: writerName(instance) });

async function takeForStart(session: Session, options: WriterOptions): Promise<void> {
  const { clock, isShared } = options;
  const until = clock.monotonic() + waitForLockMs;
  for (let retry = 1; ; retry++) {
    try {
      return await lockForStart(session, options);
    } catch (error) {
      if (!isRetryableError(error) || error instanceof ConnectionLost) throw error;
      if (clock.monotonic() > until) throw await heldByOther(session, isShared);
      await sleep(clock, backoffMs(pauses, retry), untilDone);
    }
  }
}

/** A failed start in words. */
export function inWords(error: unknown): UserError {
  if (error instanceof UserError) return error;
  if (error instanceof ConnectionLost) {
    return new UserError(
      `database.url: ${error.message}: see that the server runs, and that user, password and database are right`,
    );
  }
  const why = error instanceof Error ? error.message : String(error);
  return new UserError(`database.url: the database cannot be used (${why})`);
}
