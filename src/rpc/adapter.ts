import type { EventEmitter } from 'node:events';
import {
  status as Code,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type StatusObject,
} from '@grpc/grpc-js';

import { OperationContext, orAbort, type RequestContext } from '../core/context.js';
import { CancelledError, TimeoutError } from '../core/errors.js';
import type { Logger } from '../core/log.js';
import type { Metrics } from '../metrics.js';
import { Outbox } from './outbox.js';
import { statusOf } from './status.js';

/**
 * grpc-js's four kinds of calls as functions of a request and a context. Here,
 * and only here, a call gets its deadline, everything a handler throws becomes
 * a status, and each call is settled once. grpc-js does not await handlers, and
 * goes on firing `cancelled` after a call was answered; nothing of that passes.
 */
export type Unary<Request, Response> = (request: Request, ctx: RequestContext) => Promise<Response>;

export type ClientStream<Request, Response> = (
  requests: AsyncIterable<Request>,
  ctx: RequestContext,
) => Promise<Response>;

export type ServerStream<Request, Response> = (
  request: Request,
  ctx: RequestContext,
) => AsyncIterable<Response>;

/** The stream ends when the promise settles. Its life is no operation: it has no deadline of ours. */
export type BidiStream<Request, Response> = (
  requests: AsyncIterable<Request>,
  ctx: RequestContext,
  outbox: Outbox<Response>,
) => Promise<void>;

/** What every kind of call has. */
type ServerCall = Pick<ServerUnaryCall<unknown, unknown>, 'cancelled' | 'getPath' | 'getDeadline'> &
  EventEmitter;

export interface AdapterOptions {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly newId: () => string;
  /** Aborts when calls in flight have to end. */
  readonly shutdown: AbortSignal;
  readonly timeouts: { readonly unaryMs: number; readonly transferMs: number };
}

/** A call that is cancelled this close to its deadline has met it, milliseconds. */
const clocksApartMs = 50;

export class Adapter {
  constructor(private readonly options: AdapterOptions) {}

  unary<Request, Response>(handler: Unary<Request, Response>): handleUnaryCall<Request, Response> {
    return this.#unary(handler, this.options.timeouts.unaryMs);
  }

  /** A unary call that may wait for something to happen: as long as its caller likes. */
  longPoll<Request, Response>(
    handler: Unary<Request, Response>,
  ): handleUnaryCall<Request, Response> {
    return this.#unary(handler, this.options.timeouts.transferMs);
  }

  clientStream<Request, Response>(
    handler: ClientStream<Request, Response>,
  ): handleClientStreamingCall<Request, Response> {
    return (call, callback) => {
      const { transferMs } = this.options.timeouts;
      this.#serve(call, transferMs, (ctx) => handler(messagesOf(call), ctx), {
        answer: (response) => callback(null, response),
        refuse: (status) => callback(status),
      });
    };
  }

  serverStream<Request, Response>(
    handler: ServerStream<Request, Response>,
  ): handleServerStreamingCall<Request, Response> {
    return (call) => {
      const { transferMs } = this.options.timeouts;
      const send = async (ctx: RequestContext) => {
        const outbox = new Outbox<Response>(call);
        for await (const message of handler(call.request, ctx)) {
          ctx.signal.throwIfAborted();
          await orAbort(ctx.signal, outbox.sendWhenTaken(message));
        }
      };
      this.#serve(call, transferMs, send, {
        answer: () => call.end(),
        refuse: (status) => call.emit('error', status),
      });
    };
  }

  bidiStream<Request, Response>(
    handler: BidiStream<Request, Response>,
  ): handleBidiStreamingCall<Request, Response> {
    return (call) => {
      const talk = (ctx: RequestContext) => handler(messagesOf(call), ctx, new Outbox(call));
      this.#serve(call, Number.POSITIVE_INFINITY, talk, {
        answer: () => call.end(),
        refuse: (status) => call.emit('error', status),
      });
    };
  }

  #unary<Request, Response>(
    handler: Unary<Request, Response>,
    timeoutMs: number,
  ): handleUnaryCall<Request, Response> {
    return (call, callback) => {
      this.#serve(call, timeoutMs, (ctx) => handler(call.request, ctx), {
        answer: (response) => callback(null, response),
        refuse: (status) => callback(status),
      });
    };
  }

  #serve<Response>(
    call: ServerCall,
    timeoutMs: number,
    work: (ctx: RequestContext) => Promise<Response>,
    settle: { answer: (response: Response) => void; refuse: (status: StatusObject) => void },
  ): void {
    const { log, metrics, newId, shutdown } = this.options;
    const endpoint = call.getPath();
    const requestId = newId();
    const stop = metrics.apiRequestSeconds.startTimer({ endpoint });
    const effectiveMs = Math.min(timeoutMs, clientTimeoutMs(call));
    const ctx = new OperationContext({
      operation: endpoint,
      timeoutMs: effectiveMs,
      requestId,
      log: log.child({ requestId, endpoint }),
      parent: shutdown,
    });
    const onCancelled = () => ctx.abort(reasonOfCancel(call, endpoint, effectiveMs));
    call.once('cancelled', onCancelled);
    const settled = (code: Code) => {
      call.off('cancelled', onCancelled);
      ctx.end();
      stop({ code: Code[code] });
    };
    run(ctx, work).then(
      (response) => {
        settled(Code.OK);
        if (!call.cancelled) settle.answer(response);
      },
      (error) => {
        // What a broken stream throws is a consequence; the cause is the context's.
        const cause = ctx.signal.aborted ? ctx.signal.reason : error;
        const status = statusOf(cause, requestId, ctx.log);
        settled(status.code);
        if (!call.cancelled) settle.refuse(status);
      },
    );
  }
}

async function run<Response>(
  ctx: OperationContext,
  work: (ctx: RequestContext) => Promise<Response>,
): Promise<Response> {
  ctx.signal.throwIfAborted();
  return await orAbort(ctx.signal, work(ctx));
}

/** Time the client gave, milliseconds; Infinity if it gave none. */
function clientTimeoutMs(call: ServerCall): number {
  const deadline = call.getDeadline();
  return Number(deadline) - Date.now();
}

/**
 * A client that reaches its deadline cancels the call itself, by its own clock:
 * a little before ours says so, as the deadline came here as time left.
 */
function reasonOfCancel(call: ServerCall, operation: string, timeoutMs: number): Error {
  return clientTimeoutMs(call) <= clocksApartMs
    ? new TimeoutError({ operation, durationMs: timeoutMs })
    : new CancelledError();
}

/** The messages, without the habit of streams to be destroyed when one stops reading. */
function messagesOf<Request>(
  call: ServerReadableStream<Request, unknown> | ServerDuplexStream<Request, unknown>,
): AsyncIterable<Request> {
  return call.iterator({ destroyOnReturn: false }) as AsyncIterable<Request>;
}
