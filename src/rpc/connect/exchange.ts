import type { IncomingMessage, ServerResponse } from 'node:http';
import { status as Code, type Metadata, type StatusObject } from '@grpc/grpc-js';
import type { Logger } from '../../core/log.js';
import type { SignedInBy } from '../access.js';
import type { Outgoing, Unsent } from '../edge/unsent.js';
import { answerUnary, beginStream, endStream, refuseUnary } from './answer.js';
import type { Asked } from './asked.js';
import { ConnectCall } from './call.js';
import { type Codec, codecOf, type Definition } from './codec.js';
import { zipped } from './compression.js';
import { enveloped } from './envelope.js';
import { internal } from './refusal.js';

/** A handler as the adapter composes it for grpc-js, by what it uses of a call. */
export type Handler = (
  call: Pick<ConnectCall, 'cancelled' | 'metadata' | 'getPath' | 'getPeer'>,
  callback: (error: Partial<StatusObject> | null, message?: unknown, trailers?: Metadata) => void,
) => void;

/** Begins a span for a call, if calls are traced. @returns what ends it; a second end is nothing */
export type StartSpan = (
  path: string,
  headers: Readonly<Record<string, unknown>>,
) => (code: Code) => void;

export interface ExchangeParts {
  /** Longest that a peer may read nothing of an answer. */
  readonly stallMs: number;
  readonly unsent: Unsent;
  readonly startSpan: StartSpan | undefined;
  readonly log: Logger;
}

/** A request that is a call, and what it is answered by. */
export interface Exchange {
  readonly definition: Definition;
  readonly handler: Handler;
  readonly asked: Asked;
  readonly path: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly message: Buffer;
  /** By the wall clock; Infinity: none. */
  readonly deadlineMs: number;
  /** Aborts when the answer is whole, or its caller has gone. */
  readonly gone: AbortSignal;
  readonly signedIn: SignedInBy;
}

/** Time for a peer to take the end of a stream that was refused, milliseconds. */
const lingerMs = 1000;

/** Lets the handler answer. */
export function serve(exchange: Exchange, parts: ExchangeParts): void {
  if (exchange.gone.aborted) return;
  const codec = codecOf(exchange.definition, exchange.asked.format);
  const endSpan = parts.startSpan?.(exchange.path, exchange.request.headers) ?? (() => {});
  exchange.gone.addEventListener('abort', () => endSpan(Code.CANCELLED), { once: true });
  const way = { codec, outgoing: outgoingOf(exchange.response), endSpan };
  if (exchange.asked.isStream) stream(exchange, parts, way);
  else unary(exchange, parts, way);
}

interface Way {
  readonly codec: Codec;
  readonly outgoing: Outgoing;
  readonly endSpan: (code: Code) => void;
}

function unary(exchange: Exchange, { stallMs, unsent, log }: ExchangeParts, way: Way): void {
  const { response, asked, message: asks } = exchange;
  const { codec, outgoing, endSpan } = way;
  const answer = async (message: unknown, trailers: Metadata | undefined) => {
    await answerUnary(response, { bytes: codec.response(message), trailers }, asked);
    unsent.watch(outgoing, false);
  };
  const call = new ConnectCall({ ...exchange, read: () => codec.request(asks) });
  exchange.handler(call, (error, message, trailers) => {
    endSpan(error?.code ?? Code.OK);
    endWithin(response, stallMs);
    if (error) return refuseUnary(response, error);
    answer(message, trailers).catch((failure) =>
      refuseUnary(response, internal(failure, log).status),
    );
  });
}

function stream(exchange: Exchange, { stallMs, unsent, log }: ExchangeParts, way: Way): void {
  const { response, asked, message: asks } = exchange;
  const { codec, outgoing, endSpan } = way;
  beginStream(response, asked);
  const write = async (message: unknown, onTaken: () => void) => {
    const bytes = codec.response(message);
    const small = await zipped(bytes, asked.takesGzip);
    const frame = enveloped(small ?? bytes, { isCompressed: small !== undefined });
    response.write(frame, () => onTaken());
    unsent.watch(outgoing, false);
  };
  const call = new ConnectCall({
    ...exchange,
    read: () => codec.request(asks),
    write: (message, onTaken) => {
      write(message, onTaken).catch((error) => {
        endStream(response, internal(error, log).status);
        endWithin(response, lingerMs);
      });
    },
    ending: (code) => {
      endSpan(code);
      endWithin(response, code === Code.OK ? stallMs : lingerMs);
    },
    end: (status) => endStream(response, status),
  });
  exchange.handler(call, () => {});
}

/** Cuts an answer off of which its peer reads nothing for so long. */
function endWithin(response: ServerResponse, idleMs: number): void {
  if (!response.destroyed) response.setTimeout(idleMs);
}

const outgoingOf = (response: ServerResponse): Outgoing => ({
  get writableLength() {
    return response.writableLength;
  },
  get destroyed() {
    // One that waits behind another on its connection is not destroyed with it.
    return response.writableFinished || response.req.socket.destroyed;
  },
  close: () => response.req.socket.destroy(),
});
