import type { AuditNote } from '../core/audit.js';

/** An operation to run, by its name, as it travels to a thread. */
export interface Call {
  readonly operation: string;
  readonly input: unknown;
  /** Goes into the audit log, in the transaction of the operation. */
  readonly audit?: AuditNote | undefined;
}

/** How one of many operations ended. */
export type Settled<Output> =
  | { readonly ok: true; readonly value: Output }
  | { readonly ok: false; readonly error: unknown };
