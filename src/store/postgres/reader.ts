import { DomainError } from '../../core/errors.js';
import type { Call, Settled } from '../call.js';
import type { LaneThread } from '../lane.js';
import { allFailed, attempt } from './calls.js';
import { ConnectionLost } from './faults.js';
import { Session, type SessionOptions } from './session.js';

type Outcomes = readonly Settled<unknown>[];

const beginView = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';

/** A session that reads. Calls of a group run beside each other, and see one state. */
export class Reader implements LaneThread {
  private constructor(
    private readonly options: SessionOptions,
    private session: Session,
  ) {}

  /** @throws faults */
  static async open(options: SessionOptions): Promise<Reader> {
    return new Reader(options, await Session.open(options));
  }

  async run(calls: readonly Call[]): Promise<{ outcomes: Outcomes; durationMs: number }> {
    const startedAt = performance.now();
    const outcomes = await this.#outcomesOf(calls);
    return { outcomes, durationMs: performance.now() - startedAt };
  }

  /** @throws ConnectionLost */
  async databaseBytes(): Promise<number> {
    const session = await this.#session();
    const { rows } = await session.query({
      text: 'SELECT pg_database_size(current_database()) AS bytes',
    });
    return (rows[0] as { bytes: number }).bytes;
  }

  close(): Promise<void> {
    return this.session.close();
  }

  /** The session, or a new one in its place. */
  async #session(): Promise<Session> {
    if (this.session.isLost) this.session = await Session.open(this.options);
    return this.session;
  }

  async #outcomesOf(calls: readonly Call[]): Promise<Outcomes> {
    try {
      const session = await this.#session();
      const outcomes = await inOneView(session, calls);
      if (calls.length === 1 || !outcomes.some(isFault)) return outcomes;
      // An error of one statement ended the transaction, and so failed others.
      const alone: Settled<unknown>[] = [];
      for (const call of calls) alone.push(...(await inOneView(session, [call])));
      return alone;
    } catch (error) {
      return allFailed(calls, error);
    }
  }
}

const isFault = (outcome: Settled<unknown>): boolean =>
  !outcome.ok && !(outcome.error instanceof DomainError);

/** Statements of all calls are on their way at once. */
async function inOneView(session: Session, calls: readonly Call[]): Promise<Outcomes> {
  session.send({ text: beginView });
  const settled = await Promise.allSettled(calls.map((call) => attempt(session, call)));
  if (session.isLost) throw new ConnectionLost('it was lost during a read');
  session.send({ text: 'COMMIT' });
  return settled.map((one) =>
    one.status === 'fulfilled' ? one.value.outcome : { ok: false, error: one.reason },
  );
}
