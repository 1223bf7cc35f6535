import type { Database } from 'better-sqlite3';
import type { Operation } from '../history/operation.js';

/** What there is to judge: what the callers know, and what the master left on disk. */
export interface Evidence {
  readonly operations: readonly Operation[];
  /** Of the stopped master, to be read. */
  readonly database: Database;
  /** Its folder of blobs. */
  readonly blobs: string;
  /** A time that is gone, as the state of its beginning was put back at its end. */
  readonly gap?: Gap;
}

/** By the clock of the history. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

export type Rule =
  | 'kept'
  | 'once'
  | 'asked'
  | 'order'
  | 'one lease'
  | 'counters'
  | 'blobs'
  | 'database';

export interface Violation {
  readonly rule: Rule;
  readonly what: string;
}

/** Whether an older state may have replaced what was under way at some time between these. */
export const isInGap = (
  { askedAt, answeredAt }: Pick<Operation, 'askedAt' | 'answeredAt'>,
  gap: Gap | undefined,
): boolean => gap !== undefined && answeredAt > gap.from && askedAt < gap.to;
