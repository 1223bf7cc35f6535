import type { Database } from 'better-sqlite3';
import type { Operation } from '../history/operation.js';

/** What there is to judge: what the callers know, and what the master left on disk. */
export interface Evidence {
  readonly operations: readonly Operation[];
  /** Of the stopped master, to be read. */
  readonly database: Database;
  /** Its folder of blobs. */
  readonly blobs: string;
  /**
   * Writes acknowledged later than this may be gone, as an older state was put back. Infinity: none
   * may.
   */
  readonly keptUntil: number;
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
