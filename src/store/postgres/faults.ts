import { codeOf, messageOf, OverloadError } from '../../core/errors.js';

/** An error of PostgreSQL, by its SQLSTATE, e.g. "23505". */
export class PostgresFault extends Error {
  override readonly name: string = 'PostgresFault';
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(`${code}: ${message}`);
  }
}

/** Nothing was done, and the reason passes: a deadlock, a lock that is held for too long. */
export class PassingFault extends PostgresFault {
  override readonly name = 'PassingFault';
}

/** The connection is gone, or there is none; what was under way has not been committed. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
  constructor(why: string) {
    super(`no connection to the database: ${why}`);
  }
}

/** The connection was lost during COMMIT, and PostgreSQL no longer knows what became of it. */
export class UnknownOutcome extends Error {
  override readonly name = 'UnknownOutcome';
  constructor() {
    super('the connection to the database was lost during a commit, whose outcome is not known');
  }
}

/** The database belongs to another master now: this one has to end. */
export class OwnershipLost extends Error {
  override readonly name = 'OwnershipLost';
  constructor(owner: string) {
    super(`the database belongs to another master now${owner}`);
  }
}

export const isRetryableError = (error: unknown): boolean =>
  error instanceof PassingFault || error instanceof ConnectionLost;

/** serialization_failure, deadlock_detected, lock_not_available, query_canceled (statement_timeout). */
const passing = new Set(['40001', '40P01', '55P03', '57014']);
/** Classes whose errors end the connection: connection exceptions, an operator's intervention. */
const endings = /^(08|57P|53300)/;
const fullDisk = '53100';
const retryAfterFullDiskMs = 10_000;

/** An error of `pg` as one of ours. What has no SQLSTATE is an error of the connection. */
export function faultOf(error: unknown): Error {
  const code = codeOf(error);
  const message = messageOf(error);
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) return new ConnectionLost(message);
  if (endings.test(code) || isFatal(error)) return new ConnectionLost(`${code}: ${message}`);
  if (passing.has(code)) return new PassingFault(code, message);
  if (code === fullDisk) {
    const what = "the disk of the database's server is full";
    return new OverloadError({ what, retryAfterMs: retryAfterFullDiskMs });
  }
  return new PostgresFault(code, message);
}

const isFatal = (error: unknown): boolean =>
  /^(FATAL|PANIC)$/.test(String((error as { severity?: unknown }).severity));
