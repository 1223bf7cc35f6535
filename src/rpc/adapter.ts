import type { EventEmitter } from 'node:events';
import type { Writable } from 'node:stream';
import {
  status as Code,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Metadata,
  type ServerUnaryCall,
  type StatusObject,
} from '@grpc/grpc-js';
import { Bag, type Bagged } from '../core/bag.js';
import type { Clock } from '../core/clock.js';
import { OperationContext, orAbort, type RequestContext } from '../core/context.js';
import { CancelledError, StalledError } from '../core/errors.js';
import type { Logger } from '../core/log.js';
import { atEndOfTurn } from '../core/turn-batch.js';
import type { Metrics } from '../metrics.js';
import { type Access, addressOf } from './access.js';
import type { Admission, Pool, Precedence } from './admission.js';
import { type CallAudit, seen, seenFirst } from './audit.js';
import { sessionOf } from './beneath/session-of.js';
import { cutOff, isOpen, isUnread } from './beneath/stalled-peers.js';
import { type CallPath, plainPath } from './call-path.js';
import type { CallerQuotas } from './caller-quotas.js';
import type { BidiStream, ClientStream, ServerStream, Unary } from './calls.js';
import { clientTimeoutMs, isOverdue } from './client-deadline.js';
import { decoded, type MethodCounters } from './methods.js';
import { Pace } from './pace.js';
import type { ProjectScope } from './project-scope.js';
import { statusOf, trailersOf, verdictOn } from './status.js';
import { messagesOf } from './streams/incoming.js';
import { SendQueue } from './streams/send-queue.js';
import { parseTraceParent } from './trace.js';

/** The part that every kind of call has. */
type ServerCall = Pick<
  ServerUnaryCall<unknown, unknown>,
  'cancelled' | 'getPath' | 'getPeer' | 'getDeadline' | 'metadata'
> &
  EventEmitter;

/** The two ways in which a call ends. */
interface Settle<Response> {
  answer(response: Response, trailers: Metadata): void;
  refuse(status: StatusObject): void;
}

/** The limits of a call. */
interface Terms {
  readonly pool: Pool;
  readonly precedence: Precedence;
  /** Longest it may take, unless its method has a time of its own; Infinity: no limit. */
  readonly timeoutMs: number;
  /** A transfer: its steps have deadlines. */
  readonly isPaced?: boolean;
}

export interface AdapterOptions {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly path: CallPath;
  readonly newRequestId: () => string;
  readonly clock: Clock;
  readonly access: Access;
  readonly projects: ProjectScope;
  readonly quotas: CallerQuotas;
  readonly audit: CallAudit;
  /** Whether nobody on the way to this address can read along. */
  readonly isPrivate: (address: string) => boolean;
  readonly admission: Admission;
  readonly counters: MethodCounters;
  readonly timeouts: {
    readonly unaryMs: number;
    /** Longest step of the master's own in a transfer, and longest long poll. */
    readonly transferMs: number;
    /** Longest that nothing of a transfer may move. */
    readonly stalledTransferMs: number;
    /** Longest a peer may read nothing before it is cut off. */
    readonly stallMs: number;
    /** Times of single methods, by their path. */
    readonly byPath: ReadonlyMap<string, number>;
  };
}

/** A call as it comes: what to do for it, and how to end it. */
interface Incoming<Response> {
  readonly call: ServerCall;
  readonly terms: Terms;
  readonly work: (ctx: RequestContext, pace: Pace | undefined) => Promise<Response>;
  readonly settle: Settle<Response>;
}

/** A transfer that has stalled for so long gives its place to one that waits, milliseconds. */
const givesWayMs = 5000;
/** Its steps have deadlines, the whole has none. */
const transfer = { pool: 'transfers', timeoutMs: Number.POSITIVE_INFINITY, isPaced: true } as const;
/** Time for a peer to take its status before the stream is cut off, milliseconds. */
const lingerMs = 1000;

const overdue = Code.DEADLINE_EXCEEDED;

interface UnderWay extends Bagged {
  readonly ctx: OperationContext;
  readonly pool: Pool;
  /** Of a transfer. */
  readonly pace: Pace | undefined;
  hasPlace: boolean;
}

/** Other calls do not pay for a look at their peer. */
const hasAssignments = (pool: Pool): boolean => pool === 'streams' || pool === 'waits';
/** Shared by all calls: nobody receives it, and a stack for each is dear. */
const callerLeft = new CancelledError();

/**
 * Makes grpc-js's handlers of functions (calls.ts). This file alone admits or refuses a call,
 * gives it its deadline, turns errors of handlers into a status, and settles each call once.
 * grpc-js does not await handlers, and emits `cancelled` even after a call was answered;
 * handlers see nothing of that.
 */
export class Adapter {
  readonly #underWay: Bag<UnderWay>;
  /** Pools that take no more calls, each with the reason. */
  readonly #ended: Map<Pool, Error>;

  /** `beside`: one whose calls are ended together with those of this one. */
  constructor(
    private readonly options: AdapterOptions,
    beside?: Adapter,
  ) {
    this.#underWay = beside ? beside.#underWay : new Bag();
    this.#ended = beside ? beside.#ended : new Map();
  }

  /** An adapter for calls that are no objects of grpc-js: the same limits hold for both together. */
  forOtherCalls(): Adapter {
    return new Adapter({ ...this.options, path: plainPath }, this);
  }

  /** Ends the calls of these pools, and every later call of them. */
  end(pools: readonly Pool[], reason: Error): void {
    for (const pool of pools) this.#ended.set(pool, reason);
    for (const { ctx, pool } of this.#underWay) if (pools.includes(pool)) ctx.abort(reason);
  }

  /** Ends the calls that were made with this token. */
  endCallsOf(tokenId: string, reason: Error): void {
    for (const { ctx } of this.#underWay) if (ctx.principal.tokenId === tokenId) ctx.abort(reason);
  }

  unary<Request, Response>(
    precedence: Precedence,
    handler: Unary<Request, Response>,
  ): handleUnaryCall<Request, Response> {
    const { unaryMs } = this.options.timeouts;
    return this.#unary(handler, { pool: 'calls', precedence, timeoutMs: unaryMs });
  }

  /** A unary call that may wait for an event, as long as its caller likes. */
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
    const { path, projects, quotas } = this.options;
    const terms: Terms = { ...transfer, precedence };
    return (call, callback) => {
      const work = (ctx: RequestContext, pace: Pace | undefined) => {
        const messages = messagesOf<Request>(call);
        const counted = quotas.counted(ctx, addressOf(call), messages);
        const received = seenFirst(ctx, pace ? pace.received(counted) : counted);
        return projects.clientStream(call.getPath(), handler, received, ctx);
      };
      const settle: Settle<Response> = {
        answer: (message, trailers) => path.answer(call, { message, trailers }, callback),
        refuse: (status) => callback(status),
      };
      this.#serve({ call, terms, work, settle });
    };
  }

  serverStream<Request, Response>(
    precedence: Precedence,
    handler: ServerStream<Request, Response>,
  ): handleServerStreamingCall<Request, Response> {
    return this.#serverStream(handler, { ...transfer, precedence });
  }

  /** A server stream that goes on for as long as its caller likes. */
  feed<Request, Response>(
    handler: ServerStream<Request, Response>,
  ): handleServerStreamingCall<Request, Response> {
    const timeoutMs = Number.POSITIVE_INFINITY;
    return this.#serverStream(handler, { pool: 'feeds', precedence: 'result', timeoutMs });
  }

  #serverStream<Request, Response>(
    handler: ServerStream<Request, Response>,
    terms: Terms,
  ): handleServerStreamingCall<Request, Response> {
    const { projects } = this.options;
    return (call) => {
      const work = async (ctx: RequestContext, pace: Pace | undefined) => {
        const sendQueue = this.#sendQueueOf<Response>(call, pace);
        const request = decoded(call.request);
        const answers = projects.serverStream(call.getPath(), handler, request, ctx);
        for await (const message of answers) {
          ctx.signal.throwIfAborted();
          pace?.peer();
          await orAbort(ctx.signal, sendQueue.sendWhenTaken(message));
          pace?.own();
        }
      };
      const settle: Settle<void> = {
        answer: (_, trailers) => call.end(trailers),
        refuse: (status) => call.emit('error', status),
      };
      this.#serve({ call, terms, work, settle });
    };
  }

  bidiStream<Request, Response>(
    handler: BidiStream<Request, Response>,
  ): handleBidiStreamingCall<Request, Response> {
    const { path } = this.options;
    const timeoutMs = Number.POSITIVE_INFINITY;
    const terms: Terms = { pool: 'streams', precedence: 'result', timeoutMs };
    return (call) => {
      const sendQueue = this.#sendQueueOf<Response>(call);
      const work = (ctx: RequestContext) =>
        handler((hear) => path.receive(call, hear), ctx, sendQueue);
      const settle: Settle<void> = {
        answer(_, trailers) {
          sendQueue.finish();
          call.end(trailers);
        },
        refuse(status) {
          sendQueue.finish();
          call.emit('error', status);
        },
      };
      this.#serve({ call, terms, work, settle });
    };
  }

  #unary<Request, Response>(
    handler: Unary<Request, Response>,
    terms: Terms,
  ): handleUnaryCall<Request, Response> {
    const { path, projects } = this.options;
    return (call, callback) => {
      const work = (ctx: RequestContext) =>
        projects.unary(call.getPath(), handler, seen(ctx, decoded(call.request)), ctx);
      const settle: Settle<Response> = {
        answer: (message, trailers) => path.answer(call, { message, trailers }, callback),
        refuse: (status) => callback(status),
      };
      this.#serve({ call, terms, work, settle });
    };
  }

  #sendQueueOf<Response>(stream: Writable, pace?: Pace): SendQueue<Response> {
    const { path, clock, timeouts } = this.options;
    if (!pace) return new SendQueue({ stream, path, clock, stallMs: timeouts.stallMs });
    const stallMs = timeouts.stalledTransferMs;
    return new SendQueue({ stream, path, clock, stallMs, onMoved: pace.moved });
  }

  #serve<Response>(incoming: Incoming<Response>): void {
    const cameAt = performance.now();
    atEndOfTurn(() => {
      const { call } = incoming;
      if (call.cancelled) this.#count(call, isOverdue(call) ? overdue : Code.CANCELLED, cameAt);
      else this.#begin(incoming, cameAt);
    });
  }

  /** Begins a call that its caller has not given up within the turn in which it came. */
  #begin<Response>({ call, terms, work, settle }: Incoming<Response>, cameAt: number): void {
    const { newRequestId, clock, timeouts, audit } = this.options;
    const endpoint = call.getPath();
    const { principal, refusal } = this.options.access.of(call);
    const ctx = new OperationContext({
      operation: endpoint,
      timeoutMs: Math.min(timeouts.byPath.get(endpoint) ?? terms.timeoutMs, clientTimeoutMs(call)),
      requestId: newRequestId(),
      principal,
      log: this.options.log,
      bindings: (requestId) => ({
        requestId,
        endpoint,
        ...(principal.tokenId && { caller: principal.name }),
        ...parseTraceParent(call.metadata.get('traceparent')[0]),
      }),
    });
    ctx.isPrivate = hasAssignments(terms.pool) && this.options.isPrivate(addressOf(call));
    ctx.change = audit.changeOf(call, ctx);
    // A stream that has closed does not know its session any more.
    const session = sessionOf(call);
    const full = this.options.quotas.entered(session);
    const ended = refusal ?? this.#ended.get(terms.pool) ?? full;
    if (ended) ctx.abort(ended);
    const times = { peerMs: timeouts.stalledTransferMs, ownMs: timeouts.transferMs };
    const pace = terms.isPaced
      ? new Pace(ctx, clock, { ...times, operation: endpoint })
      : undefined;
    const underWay: UnderWay = { ctx, pool: terms.pool, pace, hasPlace: false, place: 0 };
    this.#underWay.add(underWay);
    const onCancelled = () => {
      if (isOverdue(call)) ctx.expire();
      else ctx.abort(callerLeft);
    };
    call.once('cancelled', onCancelled);
    const settled = (code: Code) => {
      call.off('cancelled', onCancelled);
      this.options.quotas.left(session);
      this.#underWay.remove(underWay);
      ctx.end();
      this.#count(call, code, cameAt);
    };
    this.#run(underWay, terms, () => audit.noting(ctx, call, () => work(ctx, pace))).then(
      (response) => {
        settled(Code.OK);
        if (!call.cancelled) settle.answer(response, trailersOf(ctx.requestId));
      },
      (error) => {
        // A broken stream throws as a consequence; the cause is the context's.
        const cause = ctx.signal.aborted ? ctx.signal.reason : error;
        const verdict = verdictOn(cause, ctx);
        settled(verdict.code);
        this.options.metrics.noteQuota(cause);
        audit.refused(call, ctx, { ...verdict, error: cause, byAccess: refusal !== undefined });
        if (!call.cancelled) settle.refuse(statusOf(verdict, ctx.requestId));
        if (terms.pool !== 'calls') this.#endSoon(call, isUnread(call, cause));
      },
    );
  }

  async #run<Response>(
    underWay: UnderWay,
    { pool, precedence }: Terms,
    work: () => Promise<Response>,
  ): Promise<Response> {
    const { admission } = this.options;
    const { ctx } = underWay;
    ctx.signal.throwIfAborted();
    try {
      admission.enter(pool, precedence);
    } catch (error) {
      if (!this.#makeRoom(pool)) throw error;
      admission.enter(pool, precedence);
    }
    underWay.hasPlace = true;
    try {
      return await orAbort(ctx.signal, work());
    } finally {
      this.#leave(underWay);
    }
  }

  #leave(underWay: UnderWay): void {
    if (underWay.hasPlace) this.options.admission.leave(underWay.pool);
    underWay.hasPlace = false;
  }

  /** Ends the transfer of which nothing has moved for longest, if that is long enough. */
  #makeRoom(pool: Pool): boolean {
    let longest: UnderWay | undefined;
    for (const one of this.#underWay) {
      const isOlder = (one.pace?.stalledMs ?? 0) > (longest?.pace?.stalledMs ?? givesWayMs);
      if (one.pool === pool && one.hasPlace && isOlder) longest = one;
    }
    if (!longest?.pace) return false;
    longest.ctx.abort(new StalledError({ stalledMs: longest.pace.stalledMs }));
    this.#leave(longest);
    return true;
  }

  #count(call: ServerCall, code: Code, cameAt: number): void {
    const endpoint = call.getPath();
    const seconds = (performance.now() - cameAt) / 1000;
    this.options.metrics.apiRequestSeconds.observe(endpoint, Code[code], seconds);
    if (code === overdue) this.options.counters.of(endpoint).deadlinesMissed++;
  }

  /** Ends a refused stream, even if its peer does not react. */
  #endSoon(call: ServerCall, unread: boolean): void {
    if (!isOpen(call)) return;
    this.options.clock.schedule(lingerMs, () => cutOff(call, unread), { unref: true });
  }
}
