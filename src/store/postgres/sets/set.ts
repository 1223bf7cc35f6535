import { forEachEngine } from '../../dialect.js';
import type { Session } from '../session.js';

/**
 * An operation for many inputs at once: a statement costs about as much as the rows that it
 * changes, so one for all is several times cheaper than one for each. What it does is what the
 * operation would do for one input after the other; the same tests run with and without.
 */
export interface OperationSet<Input = never, Output = unknown> {
  /** Of the operation. */
  readonly name: string;
  /**
   * Inputs of one set have the same `kind`; one without goes alone. Two of the same `subject`
   * are not in one set.
   */
  readonly sorted: (input: Input) => { kind: string; subject: string } | undefined;
  /** @returns an output for each input, in their order; `undefined`: it goes alone, after these */
  readonly run: (
    session: Session,
    inputs: readonly Input[],
  ) => Promise<readonly ({ readonly output: Output } | undefined)[]>;
}

/** A statement over lists, a parameter for each column. */
export interface SetStatement {
  readonly name: string;
  readonly text: string;
}

/** @param text with the pieces of sql.ts; `INPUT` stands for the lists as a table */
export function setStatement(
  name: string,
  columns: Readonly<Record<string, 'text' | 'bigint'>>,
  text: string,
): SetStatement {
  const names = Object.keys(columns);
  const lists = names.map((column, at) => `CAST($${at + 1} AS ${columns[column]}[])`);
  const table = `unnest(${lists.join(', ')}) WITH ORDINALITY AS input (${names.join(', ')}, n)`;
  return { name, text: forEachEngine(text.replace('INPUT', table)).postgres };
}

/** Which of the inputs, by their places, a statement has settled. */
export function settledOf(rows: readonly unknown[]): Set<number> {
  return new Set(rows.map((row) => (row as { n: number }).n - 1));
}
