import { status as Code, Metadata, type StatusObject } from '@grpc/grpc-js';
import {
  AlreadyExistsError,
  CancelledError,
  DataLossError,
  DiskFullError,
  DomainError,
  NotFoundError,
  OutOfRangeError,
  OverloadError,
  PreconditionError,
  QuotaError,
  ReplacedError,
  RetryExhaustedError,
  ShuttingDownError,
  SilentError,
  StaleLeaseError,
  TimeoutError,
  ValidationError,
} from '../core/errors.js';
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
 * The one table from errors to statuses. Details are google.rpc's, packed into
 * `grpc-status-details-bin`, where the clients of every language find them.
 */
function mappingOf(error: DomainError): Mapping {
  if (error instanceof ValidationError) {
    const fieldViolations = error.fields.violations.map(({ path, problem }) => ({
      field: path,
      description: problem,
      reason: '',
      localizedMessage: undefined,
    }));
    const detail = pack('BadRequest', BadRequest.encode({ fieldViolations }));
    return { code: Code.INVALID_ARGUMENT, details: [detail] };
  }
  if (error instanceof NotFoundError) {
    return { code: Code.NOT_FOUND, details: [resource(error.fields.resource, error.fields.id)] };
  }
  if (error instanceof AlreadyExistsError) {
    const detail = resource(error.fields.resource, error.fields.id);
    return { code: Code.ALREADY_EXISTS, details: [detail] };
  }
  if (error instanceof StaleLeaseError) {
    return { code: Code.FAILED_PRECONDITION, details: [info(error.reason)] };
  }
  if (error instanceof PreconditionError) {
    return { code: Code.FAILED_PRECONDITION, details: [info(error.fields.reason)] };
  }
  if (error instanceof OutOfRangeError) {
    return { code: Code.OUT_OF_RANGE, details: [info('OUT_OF_RANGE')] };
  }
  if (error instanceof DataLossError) {
    return { code: Code.DATA_LOSS, details: [info('CONTENT_MISMATCH')] };
  }
  if (error instanceof TimeoutError) {
    const { operation, durationMs } = error.fields;
    const detail = info('TIMEOUT', { operation, duration_ms: String(Math.round(durationMs)) });
    return { code: Code.DEADLINE_EXCEEDED, details: [detail] };
  }
  if (error instanceof RetryExhaustedError) {
    const { operation, attempts, retryAfterMs } = error.fields;
    const detail = info('RETRIES_EXHAUSTED', { operation, attempts: String(attempts) });
    return { code: Code.UNAVAILABLE, details: [detail, retry(retryAfterMs)] };
  }
  if (error instanceof OverloadError) {
    const details = [info('OVERLOADED'), retry(error.fields.retryAfterMs)];
    return { code: Code.RESOURCE_EXHAUSTED, details };
  }
  if (error instanceof DiskFullError) {
    const details = [info('DISK_FULL'), retry(error.fields.retryAfterMs)];
    return { code: Code.RESOURCE_EXHAUSTED, details };
  }
  if (error instanceof QuotaError) {
    const { subject, why } = error.fields;
    const violation = { ...QuotaFailure.create({}).violations[0], subject, description: why };
    const failure = QuotaFailure.fromJSON({ violations: [violation] });
    const details = [info('LIMIT_EXCEEDED'), pack('QuotaFailure', QuotaFailure.encode(failure))];
    return { code: Code.RESOURCE_EXHAUSTED, details };
  }
  if (error instanceof ReplacedError) return { code: Code.ABORTED, details: [info('REPLACED')] };
  if (error instanceof SilentError) {
    return { code: Code.DEADLINE_EXCEEDED, details: [info('SILENT')] };
  }
  if (error instanceof CancelledError) return { code: Code.CANCELLED, details: [] };
  if (error instanceof ShuttingDownError) {
    const details = [info('SHUTTING_DOWN'), retry(error.fields.retryAfterMs)];
    return { code: Code.UNAVAILABLE, details };
  }
  return { code: Code.INTERNAL, details: [] };
}

/** What becomes of an error. */
export interface Verdict extends Mapping {
  readonly message: string;
}

/** An error that is not the domain's own is logged in full and told as the request's id only. */
export const verdictOn = (
  error: unknown,
  { requestId, log }: { readonly requestId: string; readonly log: Logger },
): Verdict => (error instanceof DomainError ? told(error) : internal(error, requestId, log));

/** What the caller is told. */
export function statusOf({ code, message, details }: Verdict, requestId: string): StatusObject {
  const metadata = new Metadata();
  metadata.set(requestIdTrailer, requestId);
  const all = [...details, pack('RequestInfo', RequestInfo.encode({ requestId, servingData: '' }))];
  const packed = Status.encode({ code, message, details: all }).finish();
  metadata.set('grpc-status-details-bin', Buffer.from(packed));
  return { code, details: message, metadata };
}

/** What every answer's trailers carry: under this the log has the call. */
export const requestIdTrailer = 'x-request-id';

const told = (error: DomainError): Verdict => ({
  ...mappingOf(error),
  message: error.message.toWellFormed().slice(0, 2048),
});

function internal(error: unknown, requestId: string, log: Logger): Verdict {
  log.error({ err: error }, 'an error of our own');
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
