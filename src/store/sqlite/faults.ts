import * as errors from '../../core/errors.js';

/** An error of SQLite, by its extended code, e.g. "SQLITE_BUSY_SNAPSHOT". */
export class SqliteFault extends Error {
  override readonly name: string = 'SqliteFault';
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(`${code}: ${message}`);
  }
}

/**
 * Codes that mean that another connection holds the lock or is changing just now, and
 * that nothing was done. See sqlite.org/rescode.html.
 */
const lockConflicts = new Set([
  'SQLITE_BUSY',
  'SQLITE_BUSY_RECOVERY',
  'SQLITE_BUSY_SNAPSHOT',
  'SQLITE_BUSY_TIMEOUT',
  'SQLITE_LOCKED',
  'SQLITE_LOCKED_SHAREDCACHE',
  'SQLITE_LOCKED_VTAB',
  'SQLITE_PROTOCOL',
]);

/** Another process holds the lock of the database; nothing was done, and it passes. */
export class LockConflict extends SqliteFault {
  override readonly name = 'LockConflict';
}

export const isRetryableError = (error: unknown): boolean => error instanceof LockConflict;

/** By its code, never by its message. */
export function sqliteFault(code: string, message: string): SqliteFault {
  return lockConflicts.has(code) ? new LockConflict(code, message) : new SqliteFault(code, message);
}

/** An error on its way between threads, where classes do not survive. */
export type WireError =
  | { kind: 'domain'; name: errors.ErrorName; fields: object }
  | { kind: 'sqlite'; code: string; message: string }
  | { kind: 'other'; message: string; stack: string | undefined };

export function toWire(error: unknown): WireError {
  if (error instanceof errors.DomainError) {
    return { kind: 'domain', name: error.name, fields: error.fields };
  }
  const code = errors.codeOf(error);
  const message = errors.messageOf(error);
  if (code?.startsWith('SQLITE_')) return { kind: 'sqlite', code, message };
  return { kind: 'other', message, stack: error instanceof Error ? error.stack : undefined };
}

/** The error as it was thrown; a full disk becomes a DiskFullError. */
export function fromWire(wire: WireError): Error {
  if (wire.kind === 'domain') {
    const Class: new (fields: never) => Error = errors.domainErrors[wire.name];
    return new Class(wire.fields as never);
  }
  if (wire.kind === 'sqlite') {
    if (wire.code === 'SQLITE_FULL') return new errors.DiskFullError();
    return sqliteFault(wire.code, wire.message);
  }
  const error = new Error(wire.message);
  if (wire.stack) error.stack = wire.stack;
  return error;
}
