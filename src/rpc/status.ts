import { status as Code, Metadata, type StatusObject } from '@grpc/grpc-js';
import { DomainError, type ErrorName, type ErrorNamed } from '../core/errors.js';
import type { Logger } from '../core/log.js';
import type { Any } from '../gen/google/protobuf/any.js';
import {
  BadRequest,
  ErrorInfo,
  QuotaFailure,
  RequestInfo,
  ResourceInfo,
  RetryInfo,
} from '../gen/google/rpc/error_details.js';
import { Status } from '../gen/google/rpc/status.js';

const domain = 'pandafuzz';

interface Mapping {
  readonly code: Code;
  readonly details: readonly Any[];
}

/**
 * The one table from errors to statuses: a row for each domain error, or it does not
 * compile. Details are google.rpc's, packed into `grpc-status-details-bin`, where the
 * clients of every language find them.
 */
const mappings: { readonly [Name in ErrorName]: (error: ErrorNamed<Name>) => Mapping } = {
  ValidationError({ fields }) {
    const fieldViolations = fields.violations.map(({ path, problem }) => ({
      field: path,
      description: problem,
      reason: '',
      localizedMessage: undefined,
    }));
    const detail = pack('BadRequest', BadRequest.encode({ fieldViolations }));
    return { code: Code.INVALID_ARGUMENT, details: [detail] };
  },
  NotFoundError: ({ fields }) => ({
    code: Code.NOT_FOUND,
    details: [resource(fields.resource, fields.id)],
  }),
  AlreadyExistsError: ({ fields }) => ({
    code: Code.ALREADY_EXISTS,
    details: [resource(fields.resource, fields.id)],
  }),
  PreconditionError: ({ fields }) => ({
    code: Code.FAILED_PRECONDITION,
    details: [info(fields.reason)],
  }),
  UnauthenticatedError: ({ fields }) => ({
    code: Code.UNAUTHENTICATED,
    details: [info(fields.reason)],
  }),
  PermissionError: ({ fields }) => ({
    code: Code.PERMISSION_DENIED,
    details: [info(fields.reason)],
  }),
  StaleLeaseError: ({ reason }) => ({ code: Code.FAILED_PRECONDITION, details: [info(reason)] }),
  OutOfRangeError: () => ({ code: Code.OUT_OF_RANGE, details: [info('OUT_OF_RANGE')] }),
  DataLossError: () => ({ code: Code.DATA_LOSS, details: [info('CONTENT_MISMATCH')] }),
  TimeoutError({ fields: { operation, durationMs } }) {
    const detail = info('TIMEOUT', { operation, duration_ms: String(Math.round(durationMs)) });
    return { code: Code.DEADLINE_EXCEEDED, details: [detail] };
  },
  StalledError: ({ fields: { stalledMs } }) => ({
    code: Code.DEADLINE_EXCEEDED,
    details: [info('STALLED', { stalled_ms: String(Math.round(stalledMs)) }), retry(0)],
  }),
  RetryExhaustedError({ fields: { operation, attempts, retryAfterMs } }) {
    const detail = info('RETRIES_EXHAUSTED', { operation, attempts: String(attempts) });
    return { code: Code.UNAVAILABLE, details: [detail, retry(retryAfterMs)] };
  },
  OverloadError: ({ fields }) => ({
    code: Code.RESOURCE_EXHAUSTED,
    details: [info('OVERLOADED'), retry(fields.retryAfterMs)],
  }),
  QuotaError({ fields: { subject, why } }) {
    const violation = { ...QuotaFailure.create({}).violations[0], subject, description: why };
    const failure = QuotaFailure.fromJSON({ violations: [violation] });
    const details = [info('LIMIT_EXCEEDED'), pack('QuotaFailure', QuotaFailure.encode(failure))];
    return { code: Code.RESOURCE_EXHAUSTED, details };
  },
  DiskFullError: ({ fields }) => ({
    code: Code.RESOURCE_EXHAUSTED,
    details: [info('DISK_FULL'), retry(fields.retryAfterMs)],
  }),
  ReplacedError: () => ({ code: Code.ABORTED, details: [info('REPLACED')] }),
  SilentError: () => ({ code: Code.DEADLINE_EXCEEDED, details: [info('SILENT')] }),
  CancelledError: () => ({ code: Code.CANCELLED, details: [] }),
  ShuttingDownError: ({ fields }) => ({
    code: Code.UNAVAILABLE,
    details: [info('SHUTTING_DOWN'), retry(fields.retryAfterMs)],
  }),
};

const mappingOf = <Name extends ErrorName>(name: Name, error: ErrorNamed<Name>): Mapping =>
  mappings[name](error);

/** The code, details and message that answer an error. */
export interface Verdict extends Mapping {
  readonly message: string;
}

/** An error that is not the domain's own is logged in full; its caller gets the request's id only. */
export const verdictOn = (
  error: unknown,
  { requestId, log }: { readonly requestId: string; readonly log: Logger },
): Verdict => (error instanceof DomainError ? verdict(error) : internal(error, requestId, log));

/** The status that the caller gets. */
export function statusOf({ code, message, details }: Verdict, requestId: string): StatusObject {
  const metadata = new Metadata();
  metadata.set(requestIdTrailer, requestId);
  const all = [...details, pack('RequestInfo', RequestInfo.encode({ requestId, servingData: '' }))];
  const packed = Status.encode({ code, message, details: all }).finish();
  metadata.set('grpc-status-details-bin', Buffer.from(packed));
  return { code, details: message, metadata };
}

/** Trailer of every answer. The log names the call by the same id. */
export const requestIdTrailer = 'x-request-id';

export function trailersOf(requestId: string): Metadata {
  const trailers = new Metadata();
  trailers.set(requestIdTrailer, requestId);
  return trailers;
}

const verdict = (error: DomainError): Verdict => ({
  ...mappingOf(error.name, error as ErrorNamed<ErrorName>),
  message: error.message.toWellFormed().slice(0, 2048),
});

function internal(error: unknown, requestId: string, log: Logger): Verdict {
  log.error({ err: error }, 'internal error');
  const message = `the master met an error of its own; its log has it under request ${requestId}`;
  return { code: Code.INTERNAL, message, details: [] };
}

function pack(type: string, message: { finish(): Uint8Array }): Any {
  return {
    typeUrl: `type.googleapis.com/google.rpc.${type}`,
    value: Buffer.from(message.finish()),
  };
}

const info = (reason: string, metadata: Record<string, string> = {}): Any =>
  pack('ErrorInfo', ErrorInfo.encode({ reason, domain, metadata }));

const resource = (resourceType: string, resourceName: string): Any =>
  pack(
    'ResourceInfo',
    ResourceInfo.encode({ resourceType, resourceName, owner: '', description: '' }),
  );

function retry(afterMs: number): Any {
  const seconds = Math.floor(afterMs / 1000);
  const nanos = Math.round((afterMs % 1000) * 1e6);
  return pack('RetryInfo', RetryInfo.encode({ retryDelay: { seconds, nanos } }));
}
