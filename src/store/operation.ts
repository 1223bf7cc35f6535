import type { Database } from 'better-sqlite3';

/**
 * Whose writes go first when more wait than one commit takes: what bots found
 * and finished, then new work, then what beats told, then upkeep.
 */
export const urgencies = ['result', 'work', 'beats', 'upkeep'] as const;
export type Urgency = (typeof urgencies)[number];

/**
 * One named transaction. `prepare` runs once on a thread, where it prepares the
 * statements; what it returns runs for each call, inside a transaction (a write's is
 * its group's). Input and output travel between threads, so they are plain data.
 * Throws DomainErrors: what it did is undone, and the rest of its group does not notice.
 *
 * The main thread imports operations for their name and types only.
 */
export interface Operation<Input, Output> {
  readonly name: string;
  readonly access: 'read' | 'write';
  readonly urgency: Urgency;
  /** Places it takes in the group of a thread: by its time beside that of a look at one row. */
  readonly places: number;
  readonly prepare: (db: Database) => (input: Input) => Output;
}

export function readOperation<Input, Output>(
  name: string,
  prepare: Operation<Input, Output>['prepare'],
): Operation<Input, Output> {
  return { name, access: 'read', urgency: 'work', places: 1, prepare };
}

const placesOfPage = 8;

/** A read of many rows. */
export function pageOperation<Input, Output>(
  name: string,
  prepare: Operation<Input, Output>['prepare'],
): Operation<Input, Output> {
  return { ...readOperation(name, prepare), places: placesOfPage };
}

export function writeOperation<Input, Output>(
  name: string,
  urgency: Urgency,
  prepare: Operation<Input, Output>['prepare'],
): Operation<Input, Output> {
  return { name, access: 'write', urgency, places: 1, prepare };
}
