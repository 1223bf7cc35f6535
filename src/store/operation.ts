import type { Steps } from './statement.js';

/**
 * Order in which writes go when more of them wait than one commit takes: results and
 * findings of bots, then new work, then heartbeat data, then upkeep.
 */
export const urgencies = ['result', 'work', 'beats', 'upkeep'] as const;
export type Urgency = (typeof urgencies)[number];

/**
 * One named transaction: a generator over statements, which an engine drives inside a
 * transaction (a write's is its group's). Input and output travel between threads, so
 * they are plain data. A DomainError that it throws undoes what it did, and nothing else
 * of its group.
 *
 * Rules import operations for their name and types only.
 *
 * Every write operation about a job locks the job's row before it changes anything. Rows
 * are locked in one order, bot, job, lease, so that no two transactions wait for each other.
 */
export interface Operation<Input, Output> {
  readonly name: string;
  readonly access: 'read' | 'write';
  readonly urgency: Urgency;
  /** Cost relative to a one-row read. A thread takes calls until their costs add up to `groupSize`. */
  readonly cost: number;
  readonly steps: (input: Input) => Steps<Output>;
}

export function readOperation<Input, Output>(
  name: string,
  steps: Operation<Input, Output>['steps'],
): Operation<Input, Output> {
  return { name, access: 'read', urgency: 'work', cost: 1, steps };
}

const costOfPage = 8;

/** A read of many rows. */
export function pageOperation<Input, Output>(
  name: string,
  steps: Operation<Input, Output>['steps'],
): Operation<Input, Output> {
  return { ...readOperation(name, steps), cost: costOfPage };
}

export function writeOperation<Input, Output>(
  name: string,
  urgency: Urgency,
  steps: Operation<Input, Output>['steps'],
): Operation<Input, Output> {
  return { name, access: 'write', urgency, cost: 1, steps };
}
