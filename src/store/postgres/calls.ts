import type { Call, Settled } from '../call.js';
import type { Operation } from '../operation.js';
import { appendAudit, withMade } from '../ops/audit/append-audit.js';
import { operations } from '../ops/index.js';
import { drive, type Progress } from './drive.js';
import { ConnectionLost } from './faults.js';
import type { Session } from './session.js';

const byName = new Map(operations.map((operation) => [operation.name, operation]));

const run = (session: Session, name: string, input: unknown, progress: Progress) =>
  drive(session, byName.get(name) as Operation<unknown, unknown>, input, progress);

export interface Attempt {
  readonly outcome: Settled<unknown>;
  /** Something of it may have to be undone, if it failed. */
  readonly changed: boolean;
}

/**
 * Runs one call in the transaction that is open.
 *
 * @throws ConnectionLost alone; other errors are the call's outcome
 */
export async function attempt(session: Session, call: Call): Promise<Attempt> {
  const progress: Progress = { changed: false };
  try {
    const value = await run(session, call.operation, call.input, progress);
    if (call.audit) {
      await run(session, appendAudit.name, withMade(call.audit, call.input, value), progress);
    }
    return { outcome: { ok: true, value }, ...progress };
  } catch (error) {
    if (error instanceof ConnectionLost) throw error;
    return { outcome: { ok: false, error }, ...progress };
  }
}

/** The outcomes of calls of which nothing has happened. */
export const allFailed = (calls: readonly Call[], error: unknown): Settled<unknown>[] =>
  calls.map(() => ({ ok: false, error }));
