import { type Connection, connect } from '../client/connect.js';
import {
  describeFailure,
  failureOf,
  isAway,
  isCancelled,
  isRefusedCaller,
} from '../client/failure.js';
import type { ClientTls } from '../client/tls.js';
import { givenTls } from '../config/caller-tls.js';
import { givenToken } from '../config/token.js';
import { codeOf, DomainError, UserError } from '../core/errors.js';
import { exitCodeOf, onStopSignals } from '../core/stop-signals.js';
import type { CallOptions } from './submit.js';

/** EX_UNAVAILABLE and EX_NOPERM of sysexits.h. */
const noMaster = 69;
const noPermission = 77;

function exitCodeFor(error: unknown): number {
  if (isAway(error)) return noMaster;
  return isRefusedCaller(error) ? noPermission : 1;
}

/**
 * Connects one command to a master until `use` has ended. Ctrl-C, SIGTERM and SIGHUP abort
 * `options.signal`, and with it the calls under way; a second one ends the process. A failed call becomes one
 * line for a person.
 *
 * @throws UserError
 */
export async function withMaster<T>(
  where: {
    master: string;
    timeoutMs: number;
    token?: string | undefined;
    tls?: (() => ClientTls) | undefined;
  },
  use: (connection: Connection, options: Required<CallOptions>) => Promise<T>,
): Promise<T> {
  const { token, tls } = where;
  const connection = connect(where.master, { tls, ...(token && { token: () => token }) });
  return untilStopped(async (signal) => {
    try {
      await connection.reach(signal);
      return await use(connection, { timeoutMs: where.timeoutMs, signal });
    } catch (error) {
      if (signal.aborted && (isCancelled(error) || error === signal.reason)) throw signal.reason;
      if (!isForPeople(error)) throw error;
      throw new UserError(describeFailure(error, connection.address), exitCodeFor(error));
    } finally {
      connection.close();
    }
  });
}

/**
 * Runs `use`, whose signal Ctrl-C, SIGTERM and SIGHUP abort with a UserError; a second one ends
 * the process.
 */
export async function untilStopped<T>(use: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const forget = onStopSignals({
    stop: (signal) => stop.abort(new UserError('interrupted', exitCodeOf(signal))),
    endAtOnce: (signal) => process.exit(exitCodeOf(signal)),
  });
  try {
    return await use(stop.signal);
  } finally {
    forget();
  }
}

/** Flags of every operator's command. */
export interface Flags {
  readonly master: string;
  /** One call's time, milliseconds. */
  readonly timeout: number;
  readonly json?: boolean;
  /** Where the token to call with is. */
  readonly tokenFile?: string;
  /** Files for TLS. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export const asking = <T>(
  flags: Flags,
  use: (connection: Connection, options: Required<CallOptions>) => Promise<T>,
): Promise<T> => {
  const token = givenToken(flags.tokenFile, process.env);
  const tls = givenTls(flags, process.env);
  return withMaster({ master: flags.master, timeoutMs: flags.timeout, token, tls }, use);
};

/** A refused call, or trouble with a local file. Anything else is an internal error. */
const isForPeople = (error: unknown) =>
  !(error instanceof UserError) &&
  (failureOf(error) !== undefined || error instanceof DomainError || codeOf(error) !== undefined);
