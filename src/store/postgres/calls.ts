import type { Call, Settled } from '../call.js';
import type { Operation } from '../operation.js';
import { appendAudit, withMade } from '../ops/audit/append-audit.js';
import { operations } from '../ops/index.js';
import { drive, type Progress } from './drive.js';
import { ConnectionLost } from './faults.js';
import type { Session } from './session.js';
import type { OperationSet } from './sets/set.js';
import { sets } from './sets/sets.js';

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

/** Calls that follow each other: some for a set, or one that goes alone. */
export interface Stretch {
  readonly set: OperationSet | undefined;
  readonly calls: readonly Call[];
}

/**
 * The calls in their order, those beside each other that a set can take put together.
 *
 * @param least calls for which a set is worth it
 */
export function stretchesOf(calls: readonly Call[], least: number): Stretch[] {
  const stretches: Stretch[] = [];
  for (let at = 0; at < calls.length; ) {
    const set = sets.get((calls[at] as Call).operation);
    const count = set ? together(set, calls, at) : 0;
    const end = at + Math.max(count, 1);
    stretches.push({ set: count >= least ? set : undefined, calls: calls.slice(at, end) });
    at = end;
  }
  return stretches;
}

/** How many calls from `at` on may be one set. */
function together(set: OperationSet, calls: readonly Call[], at: number): number {
  const subjects = new Set<string>();
  let kind: string | undefined;
  let count = 0;
  for (const call of calls.slice(at)) {
    if (call.operation !== set.name || call.audit) break;
    const sorted = set.sorted(call.input as never);
    if (!sorted || (kind ?? sorted.kind) !== sorted.kind) break;
    if (sorted.subject !== '' && subjects.has(sorted.subject)) break;
    kind = sorted.kind;
    subjects.add(sorted.subject);
    count++;
  }
  return count;
}

/** The outputs of a set; undefined for a call that goes alone. Throws as a statement does. */
export async function runSet(
  session: Session,
  set: OperationSet,
  calls: readonly Call[],
): Promise<readonly (Settled<unknown> | undefined)[]> {
  const inputs = calls.map(({ input }) => input as never);
  const outputs = await set.run(session, inputs);
  return outputs.map((one) => one && { ok: true, value: one.output });
}
