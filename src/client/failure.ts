import { status as Code, type ServiceError } from '@grpc/grpc-js';
import { messageOf } from '../core/errors.js';
import { grpcProxy, throughProxy } from '../core/proxies.js';
import { describeTrouble } from '../core/system-trouble.js';
import { ErrorInfo, RetryInfo } from '../gen/google/rpc/error_details.js';
import { Status } from '../gen/google/rpc/status.js';
import { hostOf } from './connect.js';
import { describeTlsFailure } from './tls-failure.js';

/** A failed call, for programs. */
export interface Failure {
  /** gRPC status code. */
  readonly code: Code;
  /** ErrorInfo.reason, e.g. "STALE_LEASE"; empty when the status has none. */
  readonly reason: string;
  /** RetryInfo, milliseconds; undefined when repeating the call is not suggested. */
  readonly retryAfterMs: number | undefined;
  /** The master itself answered so: not the connection, and no proxy between. */
  readonly isAnswer: boolean;
  readonly message: string;
}

/** @returns undefined for an error that is not a gRPC status */
export function failureOf(error: unknown): Failure | undefined {
  if (!isServiceError(error)) return undefined;
  let reason = '';
  let retryAfterMs: number | undefined;
  for (const packed of error.metadata?.get('grpc-status-details-bin') ?? []) {
    for (const detail of Status.decode(packed as Buffer).details) {
      if (detail.typeUrl.endsWith('/google.rpc.ErrorInfo')) {
        reason = ErrorInfo.decode(detail.value).reason;
      } else if (detail.typeUrl.endsWith('/google.rpc.RetryInfo')) {
        const delay = RetryInfo.decode(detail.value).retryDelay;
        retryAfterMs = delay ? delay.seconds * 1000 + delay.nanos / 1e6 : undefined;
      }
    }
  }
  // Every answer of a master has its id.
  const isAnswer = (error.metadata?.get('x-request-id').length ?? 0) > 0;
  return { code: error.code, reason, retryAfterMs, isAnswer, message: error.details };
}

/** One line for a person: the fault and the remedy. */
export function describeFailure(error: unknown, address: string): string {
  const failure = failureOf(error);
  if (!failure) return describeTrouble(error) ?? messageOf(error);
  if (failure.code === Code.UNAVAILABLE && failure.reason === '') {
    const ofTls = describeTlsFailure(failure.message, address);
    if (ofTls) return ofTls;
    const host = hostOf(address);
    const proxy = grpcProxy(host, process.env);
    if (proxy) return `no master answers at ${address} ${throughProxy(proxy, host)}`;
    return `no master answers at ${address}: start one with "pandafuzz master", or name another with --master HOST:PORT`;
  }
  if (failure.code === Code.DEADLINE_EXCEEDED) {
    return `the master at ${address} did not answer in time: ${failure.message}`;
  }
  return failure.message || `the master answered ${Code[failure.code]}`;
}

function isServiceError(error: unknown): error is ServiceError {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'number' &&
    'details' in error
  );
}

/** The master cannot be reached. */
export const isAway = (error: unknown): boolean =>
  failureOf(error)?.code === Code.UNAVAILABLE && failureOf(error)?.reason === '';

export const isNotFound = (error: unknown): boolean => failureOf(error)?.code === Code.NOT_FOUND;

/** It does not take the caller's token, or not for this. */
export const isRefusedCaller = (error: unknown): boolean => {
  const code = failureOf(error)?.code;
  return code === Code.UNAUTHENTICATED || code === Code.PERMISSION_DENIED;
};

/** A master of an earlier version, which has no such call. */
export const isUnknownCall = (error: unknown): boolean =>
  failureOf(error)?.code === Code.UNIMPLEMENTED;

export const isCancelled = (error: unknown): boolean => failureOf(error)?.code === Code.CANCELLED;
