import type { RequestContext } from '../core/context.js';
import type { Hear } from './streams/incoming.js';
import type { SendQueue } from './streams/send-queue.js';

/** grpc-js's four kinds of calls as functions of a request and a context. */
export type Unary<Request, Response> = (request: Request, ctx: RequestContext) => Promise<Response>;

export type ClientStream<Request, Response> = (
  requests: AsyncIterable<Request>,
  ctx: RequestContext,
) => Promise<Response>;

export type ServerStream<Request, Response> = (
  request: Request,
  ctx: RequestContext,
) => AsyncIterable<Response>;

/** CallPath.receive of one stream. */
export type Receive<Request> = (hear: Hear<Request>) => Promise<void>;

/** The stream ends when the promise settles. It has no deadline of ours. */
export type BidiStream<Request, Response> = (
  receive: Receive<Request>,
  ctx: RequestContext,
  sendQueue: SendQueue<Response>,
) => Promise<void>;
