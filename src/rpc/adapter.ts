import type { EventEmitter } from 'node:events';
import {
  status as Code,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type ServerUnaryCall,
  type StatusObject,
} from '@grpc/grpc-js';
import { Bag, type Bagged } from '../core/bag.js';
import type { Clock } from '../core/clock.js';
import { OperationContext, orAbort, type RequestContext } from '../core/context.js';
import { CancelledError, OverloadError, ValidationError } from '../core/errors.js';
import type { Logger } from '../core/log.js';
import { atEndOfTurn } from '../core/turn-batch.js';
import type { Metrics } from '../metrics.js';
import type { Admission, Pool, Precedence } from './admission.js';
import { answerCall, cutOff, isOpen } from './beneath/http2.js';
import { type MethodCounters, undecodable } from './methods.js';
import { requestIdTrailer, statusOf, verdictOn } from './status.js';
import { eachMessage, messagesOf } from './streams/incoming.js';
import { SendQueue } from './streams/send-queue.js';
import { parseTraceParent } from './trace.js';

/**
 * grpc-js's four kinds of calls as functions of a request and a context. Here,
 * and only here, a call is let in or refused, gets its deadline, everything a
 * handler throws becomes a status, and each call is settled once. grpc-js does
 * not await handlers, and goes on firing `cancelled` after a call was answered;
 * nothing of that passes.
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

/** As eachMessage (incoming.ts) has it. */
export type Receive<Request> = (
  hear: (request: Request) => Promise<void> | undefined,
) => Promise<void>;

/** The stream ends when the promise settles. Its life is no operation: it has no deadline of ours. */
export type BidiStream<Request, Response> = (
  receive: Receive<Request>,
  ctx: RequestContext,
  sendQueue: SendQueue<Response>,
) => Promise<void>;

/** What every kind of call has. */
type ServerCall = Pick<
  ServerUnaryCall<unknown, unknown>,
  'cancelled' | 'getPath' | 'getDeadline' | 'metadata'
> &
  EventEmitter;

/** How a kind of call is told how it ended. */
interface Settle<Response> {
  answer(response: Response, trailers: Metadata): void;
  refuse(status: StatusObject): void;
}

/** What a call may use. */
interface Terms {
  readonly pool: Pool;
  readonly precedence: Precedence;
  /** Longest it may take, unless its method has a time of its own; Infinity: as long as it likes. */
  readonly timeoutMs: number;
}

export interface AdapterOptions {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly newRequestId: () => string;
  readonly clock: Clock;
  readonly admission: Admission;
  readonly counters: MethodCounters;
  readonly timeouts: {
    readonly unaryMs: number;
    readonly transferMs: number;
    /** A peer that reads nothing for this long is cut off. */
    readonly stallMs: number;
    /** Of single methods, by their path. */
    readonly byPath: ReadonlyMap<string, number>;
  };
}

/** A call that is cancelled this close to its deadline has met it, milliseconds. */
const clocksApartMs = 50;
/** Time for a peer to take its status before the stream is cut off, milliseconds. */
const lingerMs = 1000;

const overdue = Code.DEADLINE_EXCEEDED;

interface UnderWay extends Bagged {
  readonly ctx: OperationContext;
  readonly pool: Pool;
}

/** One for all calls: it is told to nobody, and a stack for each of a lost fleet takes its time. */
const callerLeft = new CancelledError();

export class Adapter {
  readonly #underWay = new Bag<UnderWay>();
  /** Why calls of these pools are not taken any more. */
  readonly #ended = new Map<Pool, Error>();

  constructor(private readonly options: AdapterOptions) {}

  /** Ends the calls of these pools, and every one that comes later. */
  end(pools: readonly Pool[], reason: Error): void {
    for (const pool of pools) this.#ended.set(pool, reason);
    for (const { ctx, pool } of this.#underWay) if (pools.includes(pool)) ctx.abort(reason);
  }

  unary<Request, Response>(
    precedence: Precedence,
    handler: Unary<Request, Response>,
  ): handleUnaryCall<Request, Response> {
    const { unaryMs } = this.options.timeouts;
    return this.#unary(handler, { pool: 'calls', precedence, timeoutMs: unaryMs });
  }

  /** A unary call that may wait for something to happen: as long as its caller likes. */
  longPoll<Request, Response>(
    handler: Unary<Request, Response>,
  ): handleUnaryCall<Request, Response> {
    const { transferMs } = this.options.timeouts;
    return this.#unary(handler, { pool: 'waits', precedence: 'result', timeoutMs: transferMs });
  }

  clientStream<Request, Response>(
    precedence: Precedence,
    handler: ClientStream<Request, Response>,
  ): handleClientStreamingCall<Request, Response> {
    const { transferMs } = this.options.timeouts;
    const terms: Terms = { pool: 'transfers', precedence, timeoutMs: transferMs };
    return (call, callback) => {
      this.#serve(call, terms, (ctx) => handler(messagesOf(call), ctx), {
        answer: (response, trailers) => answerCall(call, response, trailers),
        refuse: (status) => callback(status),
      });
    };
  }

  serverStream<Request, Response>(
    precedence: Precedence,
    handler: ServerStream<Request, Response>,
  ): handleServerStreamingCall<Request, Response> {
    const { transferMs } = this.options.timeouts;
    return this.#serverStream(handler, { pool: 'transfers', precedence, timeoutMs: transferMs });
  }

  /** A server stream that goes on for as long as its caller likes. */
  feed<Request, Response>(
    handler: ServerStream<Request, Response>,
  ): handleServerStreamingCall<Request, Response> {
    const timeoutMs = Number.POSITIVE_INFINITY;
    return this.#serverStream(handler, { pool: 'waits', precedence: 'read', timeoutMs });
  }

  #serverStream<Request, Response>(
    handler: ServerStream<Request, Response>,
    terms: Terms,
  ): handleServerStreamingCall<Request, Response> {
    const { clock, timeouts } = this.options;
    return (call) => {
      const send = async (ctx: RequestContext) => {
        const sendQueue = new SendQueue<Response>(call, clock, timeouts.stallMs);
        for await (const message of handler(decoded(call.request), ctx)) {
          ctx.signal.throwIfAborted();
          await orAbort(ctx.signal, sendQueue.sendWhenTaken(message));
        }
      };
      this.#serve(call, terms, send, {
        answer: (_, trailers) => call.end(trailers),
        refuse: (status) => call.emit('error', status),
      });
    };
  }

  bidiStream<Request, Response>(
    handler: BidiStream<Request, Response>,
  ): handleBidiStreamingCall<Request, Response> {
    const { clock, timeouts } = this.options;
    const timeoutMs = Number.POSITIVE_INFINITY;
    const terms: Terms = { pool: 'streams', precedence: 'result', timeoutMs };
    return (call) => {
      const sendQueue = new SendQueue<Response>(call, clock, timeouts.stallMs);
      const work = (ctx: RequestContext) =>
        handler((hear) => eachMessage(call, hear), ctx, sendQueue);
      this.#serve(call, terms, work, {
        answer: (_, trailers) => {
          sendQueue.flush();
          call.end(trailers);
        },
        refuse(status) {
          sendQueue.flush();
          call.emit('error', status);
        },
      });
    };
  }

  #unary<Request, Response>(
    handler: Unary<Request, Response>,
    terms: Terms,
  ): handleUnaryCall<Request, Response> {
    return (call, callback) => {
      this.#serve(call, terms, (ctx) => handler(decoded(call.request), ctx), {
        answer: (response, trailers) => answerCall(call, response, trailers),
        refuse: (status) => callback(status),
      });
    };
  }

  #serve<Response>(
    call: ServerCall,
    terms: Terms,
    work: (ctx: RequestContext) => Promise<Response>,
    settle: Settle<Response>,
  ): void {
    const cameAt = performance.now();
    atEndOfTurn(() => {
      if (call.cancelled) this.#count(call, isOverdue(call) ? overdue : Code.CANCELLED, cameAt);
      else this.#begin(call, terms, work, settle, cameAt);
    });
  }

  /** What was given up before its turn was over is never begun. */
  #begin<Response>(
    call: ServerCall,
    terms: Terms,
    work: (ctx: RequestContext) => Promise<Response>,
    settle: Settle<Response>,
    cameAt: number,
  ): void {
    const { newRequestId, admission, timeouts } = this.options;
    const endpoint = call.getPath();
    const ctx = new OperationContext({
      operation: endpoint,
      timeoutMs: Math.min(timeouts.byPath.get(endpoint) ?? terms.timeoutMs, clientTimeoutMs(call)),
      requestId: newRequestId(),
      log: this.options.log,
      bindings: (requestId) => ({
        ...{ requestId, endpoint },
        ...parseTraceParent(call.metadata.get('traceparent')[0]),
      }),
    });
    const ended = this.#ended.get(terms.pool);
    if (ended) ctx.abort(ended);
    const underWay: UnderWay = { ctx, pool: terms.pool, place: 0 };
    this.#underWay.add(underWay);
    const onCancelled = () => {
      if (isOverdue(call)) ctx.expire();
      else ctx.abort(callerLeft);
    };
    call.once('cancelled', onCancelled);
    const settled = (code: Code) => {
      call.off('cancelled', onCancelled);
      this.#underWay.remove(underWay);
      ctx.end();
      this.#count(call, code, cameAt);
    };
    run(ctx, admission, terms, work).then(
      (response) => {
        settled(Code.OK);
        if (!call.cancelled) settle.answer(response, trailersOf(ctx.requestId));
      },
      (error) => {
        // What a broken stream throws is a consequence; the cause is the context's.
        const cause = ctx.signal.aborted ? ctx.signal.reason : error;
        const verdict = verdictOn(cause, ctx);
        settled(verdict.code);
        if (!call.cancelled) settle.refuse(statusOf(verdict, ctx.requestId));
        if (terms.pool !== 'calls') this.#endSoon(call, cause instanceof OverloadError);
      },
    );
  }

  #count(call: ServerCall, code: Code, cameAt: number): void {
    const endpoint = call.getPath();
    const seconds = (performance.now() - cameAt) / 1000;
    this.options.metrics.apiRequestSeconds.observe(endpoint, Code[code], seconds);
    if (code === overdue) this.options.counters.of(endpoint).deadlinesMissed++;
  }

  /** A stream that was refused ends even if its peer does not care. */
  #endSoon(call: ServerCall, overloaded: boolean): void {
    if (!isOpen(call)) return;
    this.options.clock.schedule(lingerMs, () => cutOff(call, overloaded), { unref: true });
  }
}

async function run<Response>(
  ctx: OperationContext,
  admission: Admission,
  { pool, precedence }: Terms,
  work: (ctx: RequestContext) => Promise<Response>,
): Promise<Response> {
  ctx.signal.throwIfAborted();
  admission.enter(pool, precedence);
  try {
    return await orAbort(ctx.signal, work(ctx));
  } finally {
    admission.leave(pool);
  }
}

/** @throws ValidationError for a request that is no message of its kind */
function decoded<Request>(request: Request): Request {
  if (request !== undecodable) return request;
  const problem = 'cannot be decoded: it is not a message of this method';
  throw new ValidationError({ violations: [{ path: 'the request', problem }] });
}

function trailersOf(requestId: string): Metadata {
  const trailers = new Metadata();
  trailers.set(requestIdTrailer, requestId);
  return trailers;
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
const isOverdue = (call: ServerCall): boolean => clientTimeoutMs(call) <= clocksApartMs;
