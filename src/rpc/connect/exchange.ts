import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Metadata, StatusObject } from '@grpc/grpc-js';
import type { Logger } from '../../core/log.js';
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

export interface ExchangeParts {
  /** Longest that a peer may read nothing of an answer. */
  readonly stallMs: number;
  readonly unsent: Unsent;
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
}

/** Time for a peer to take the end of a stream that was refused, milliseconds. */
const lingerMs = 1000;

/** Lets the handler answer. */
export function serve(exchange: Exchange, parts: ExchangeParts): void {
  if (exchange.gone.aborted) return;
  const codec = codecOf(exchange.definition, exchange.asked.format);
  const outgoing = outgoingOf(exchange.response);
  if (exchange.asked.isStream) stream(exchange, parts, { codec, outgoing });
  else unary(exchange, parts, { codec, outgoing });
}

interface Way {
  readonly codec: Codec;
  readonly outgoing: Outgoing;
}

function unary(exchange: Exchange, { stallMs, unsent, log }: ExchangeParts, way: Way): void {
  const { response, asked, message: asks } = exchange;
  const { codec, outgoing } = way;
  const answer = async (message: unknown, trailers: Metadata | undefined) => {
    await answerUnary(response, { bytes: codec.response(message), trailers }, asked);
    unsent.watch(outgoing, false);
  };
  const call = new ConnectCall({ ...exchange, read: () => codec.request(asks) });
  exchange.handler(call, (error, message, trailers) => {
    endWithin(response, stallMs);
    if (error) return refuseUnary(response, error);
    answer(message, trailers).catch((failure) =>
      refuseUnary(response, internal(failure, log).status),
    );
  });
}

function stream(exchange: Exchange, { stallMs, unsent, log }: ExchangeParts, way: Way): void {
  const { response, asked, message: asks } = exchange;
  const { codec, outgoing } = way;
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
    ending: (isRefused) => endWithin(response, isRefused ? lingerMs : stallMs),
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
    return response.destroyed || response.writableFinished;
  },
  close: () => response.req.socket.destroy(),
});
