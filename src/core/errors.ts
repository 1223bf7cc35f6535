/**
 * Errors of the domain, as types. Thrown by the rules, mapped to a gRPC status in one
 * table (rpc/status.ts), and passed between threads by name and fields.
 *
 * Messages are for the caller: they name the fault and the remedy, and never repeat the
 * caller's text.
 *
 * `name` admits only the names in `domainErrors`, at the end of the classes. A class
 * that is not listed there does not compile, nor does the table without a row for it.
 */
export abstract class DomainError<Fields extends object = object> extends Error {
  abstract override readonly name: ErrorName;
  constructor(
    message: string,
    readonly fields: Fields,
  ) {
    super(message);
  }
}

/** All invalid fields of a request, each by its path. */
export class ValidationError extends DomainError<{
  violations: readonly { path: string; problem: string }[];
}> {
  override readonly name = 'ValidationError';
  constructor(fields: ValidationError['fields']) {
    super(fields.violations.map((v) => `${v.path}: ${v.problem}`).join('; '), fields);
  }
}

/** The resource does not exist. `resource` is its kind, e.g. "job". */
export class NotFoundError extends DomainError<{ resource: string; id: string }> {
  override readonly name = 'NotFoundError';
  constructor(fields: NotFoundError['fields']) {
    super(`there is no such ${fields.resource}`, fields);
  }
}

/** The resource exists already, with other contents. */
export class AlreadyExistsError extends DomainError<{
  resource: string;
  id: string;
  why: string;
}> {
  override readonly name = 'AlreadyExistsError';
  constructor(fields: AlreadyExistsError['fields']) {
    super(fields.why, fields);
  }
}

/** The resource is not in the state that the call needs. `reason` is a constant in capitals. */
export class PreconditionError extends DomainError<{ reason: string; why: string }> {
  override readonly name = 'PreconditionError';
  constructor(fields: PreconditionError['fields']) {
    super(fields.why, fields);
  }
}

/** It is not known who asks. `reason` is a constant in capitals. */
export class UnauthenticatedError extends DomainError<{ reason: string; why: string }> {
  override readonly name = 'UnauthenticatedError';
  constructor(fields: UnauthenticatedError['fields']) {
    super(fields.why, fields);
  }
}

/** Who asks may not. `reason` is a constant in capitals. */
export class PermissionError extends DomainError<{ reason: string; why: string }> {
  override readonly name = 'PermissionError';
  constructor(fields: PermissionError['fields']) {
    super(fields.why, fields);
  }
}

/** The lease is not, or no longer, the valid one of its job. */
export class StaleLeaseError extends DomainError<{
  jobId: string;
  attempt: number;
  fence: number;
}> {
  override readonly name = 'StaleLeaseError';
  readonly reason = 'STALE_LEASE';
  constructor(fields: StaleLeaseError['fields']) {
    super('this lease is not the valid one of its job: stop the run and forget it', fields);
  }
}

/** An offset or cursor beyond the end, or before the first entry that is kept. */
export class OutOfRangeError extends DomainError<{ why: string }> {
  override readonly name = 'OutOfRangeError';
  constructor(fields: OutOfRangeError['fields']) {
    super(fields.why, fields);
  }
}

/** The bytes differ from their announced length or SHA-256. */
export class DataLossError extends DomainError<{ why: string }> {
  override readonly name = 'DataLossError';
  constructor(fields: DataLossError['fields']) {
    super(fields.why, fields);
  }
}

/** `operation` did not end within `durationMs`. */
export class TimeoutError extends DomainError<{ operation: string; durationMs: number }> {
  override readonly name = 'TimeoutError';
  constructor(fields: TimeoutError['fields']) {
    super(`${fields.operation} did not finish within ${Math.round(fields.durationMs)} ms`, fields);
  }
}

/** Nothing of a transfer has moved for `stalledMs`. It can go on where it broke off. */
export class StalledError extends DomainError<{ stalledMs: number }> {
  override readonly name = 'StalledError';
  constructor(fields: StalledError['fields']) {
    const seconds = Math.round(fields.stalledMs / 1000);
    super(`nothing of this transfer has moved for ${seconds} s: go on where it broke off`, fields);
  }
}

/** `operation` met a temporary error `attempts` times. `lastError` is the last one. */
export class RetryExhaustedError extends DomainError<{
  operation: string;
  attempts: number;
  lastError: string;
  retryAfterMs: number;
}> {
  override readonly name = 'RetryExhaustedError';
  constructor(fields: RetryExhaustedError['fields']) {
    super(
      `${fields.operation} gave up after ${fields.attempts} attempts (${fields.lastError}); try again later`,
      fields,
    );
  }
}

/** A queue or pool is full. */
export class OverloadError extends DomainError<{
  what: string;
  retryAfterMs: number;
  /** The setting that bounds it, if one does. */
  quota?: string;
}> {
  override readonly name = 'OverloadError';
  constructor(fields: OverloadError['fields']) {
    super(`${fields.what}; try again later`, fields);
  }
}

/** A request exceeds a limit; repeating it does not help. */
export class QuotaError extends DomainError<{ subject: string; why: string }> {
  override readonly name = 'QuotaError';
  constructor(fields: QuotaError['fields']) {
    super(fields.why, fields);
  }
}

/** The disk is full, or too full for this. Nothing was written. */
export class DiskFullError extends DomainError<{ retryAfterMs: number; leastFreeBytes?: number }> {
  override readonly name = 'DiskFullError';
  constructor(fields: DiskFullError['fields'] = { retryAfterMs: 10_000 }) {
    const { leastFreeBytes: least } = fields;
    const why = least === undefined ? '' : ` (limits.min_disk_free: ${least} bytes stay free)`;
    super(`the master's disk is full${why}: free some space there and try again`, fields);
  }
}

/** Another stream of the same bot took over. */
export class ReplacedError extends DomainError<{ why: string }> {
  override readonly name = 'ReplacedError';
  constructor(fields: ReplacedError['fields'] = { why: 'a newer stream of this bot took over' }) {
    super(fields.why, fields);
  }
}

/** A bot has sent nothing for so long that its leases have ended. */
export class SilentError extends DomainError<{ why: string }> {
  override readonly name = 'SilentError';
  constructor(
    fields: SilentError['fields'] = {
      why: 'no message of this bot for too long: open a new stream with Hello',
    },
  ) {
    super(fields.why, fields);
  }
}

/** The caller went away. */
export class CancelledError extends DomainError<object> {
  override readonly name = 'CancelledError';
  constructor(fields: object = {}) {
    super('the caller cancelled', fields);
  }
}

/** The master is shutting down. */
export class ShuttingDownError extends DomainError<{ retryAfterMs: number }> {
  override readonly name = 'ShuttingDownError';
  constructor(fields: ShuttingDownError['fields'] = { retryAfterMs: 1000 }) {
    super('the master is shutting down; try again shortly', fields);
  }
}

/**
 * Every domain error by its name: rpc/status.ts has a row for each, and store/sqlite/faults.ts
 * makes them anew in another thread.
 */
export const domainErrors = {
  ValidationError,
  NotFoundError,
  AlreadyExistsError,
  PreconditionError,
  UnauthenticatedError,
  PermissionError,
  StaleLeaseError,
  OutOfRangeError,
  DataLossError,
  TimeoutError,
  StalledError,
  RetryExhaustedError,
  OverloadError,
  QuotaError,
  DiskFullError,
  ReplacedError,
  SilentError,
  CancelledError,
  ShuttingDownError,
};

export type ErrorName = keyof typeof domainErrors;
export type ErrorNamed<Name extends ErrorName> = InstanceType<(typeof domainErrors)[Name]>;

/**
 * An error that the person at the terminal can correct: printed as one line without a
 * stack. Ends the command with `exitCode` (of sysexits.h where one fits).
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  constructor(
    message: string,
    readonly exitCode: number = 1,
  ) {
    super(message);
  }
}

/** `what` ("gRPC") cannot listen at `where`, which its setting ("grpc.address") names. */
export function cannotListen(what: string, where: string, error: unknown): UserError {
  const why = codeOf(error) === 'EADDRINUSE' ? 'it is in use' : messageOf(error);
  return new UserError(
    `${what} cannot listen on ${where} (${why}): end the program that uses it, or set another ${what.toLowerCase()}.address`,
  );
}

/** `error.code` of Node's system errors and of better-sqlite3's, if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
