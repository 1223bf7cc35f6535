import {
  type CallOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';

/** A unary method of a generated client. */
type Unary<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

export interface CallLimits {
  /** Deadline of the call, milliseconds from now. */
  readonly timeoutMs?: number;
  /** Cancels the call, which then rejects with CANCELLED. */
  readonly signal?: AbortSignal;
}

export const defaultTimeoutMs = 15_000;

export const deadlineAfter = (timeoutMs: number): Date => new Date(Date.now() + timeoutMs);

/**
 * One unary call as a promise: `unary(c.jobs, c.jobs.getJob, { jobId })`.
 *
 * @throws grpc-js's ServiceError; `describeFailure` turns it into words
 */
export function unary<Request, Response>(
  client: object,
  method: Unary<Request, Response>,
  request: Request,
  limits: CallLimits = {},
): Promise<Response> {
  const deadline = deadlineAfter(limits.timeoutMs ?? defaultTimeoutMs);
  return new Promise((resolve, reject) => {
    const call = method.call(client, request, new Metadata(), { deadline }, (error, response) => {
      limits.signal?.removeEventListener('abort', cancel);
      if (error) reject(error);
      else resolve(response);
    });
    const cancel = () => call.cancel();
    if (limits.signal?.aborted) cancel();
    else limits.signal?.addEventListener('abort', cancel, { once: true });
  });
}

/** A server-streaming method of a generated client. */
type Feed<Request, Response> = (
  request: Request,
  metadata: Metadata,
) => ClientReadableStream<Response>;

/** A server stream without a deadline, until `signal` aborts. */
export function feed<Request, Response>(
  client: object,
  method: Feed<Request, Response>,
  request: Request,
  signal: AbortSignal,
): AsyncIterable<Response> {
  const call = method.call(client, request, new Metadata());
  const cancel = () => call.cancel();
  if (signal.aborted) cancel();
  else signal.addEventListener('abort', cancel, { once: true });
  call.once('close', () => signal.removeEventListener('abort', cancel));
  return call;
}
