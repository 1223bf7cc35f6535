import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import {
  status as Code,
  type Metadata,
  type ServiceDefinition,
  type StatusObject,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/log.js';
import type { TlsFiles } from '../../core/tls-files.js';
import type { Outgoing, Unsent } from '../edge/unsent.js';
import { answerUnary, beginStream, endStream, refuseRequest, refuseUnary } from './answer.js';
import { type Asked, askedBy } from './asked.js';
import { CallerGone, decoded, readBody, zipped } from './body.js';
import { expectOwnName, expectOwnSite, type OwnNames } from './browsers.js';
import { ConnectCall } from './call.js';
import { type Codec, codecOf, type Definition } from './codec.js';
import { enveloped, onlyMessage } from './envelope.js';
import { malformed, Refusal } from './refusal.js';

/** A method of the contract, and its handler as the adapter composed it. */
export interface Rpc {
  readonly definition: Definition;
  readonly handler: UntypedHandleCall;
}

export interface ConnectOptions {
  /** By "/package.Service/Method". */
  readonly rpcs: ReadonlyMap<string, Rpc>;
  readonly maxMessageBytes: number;
  /** Requests whose body is under way, over all connections. */
  readonly maxUnfinished: number;
  /** Longest that a peer may read nothing of an answer. */
  readonly stallMs: number;
  /** Where no tokens keep others out. */
  readonly names: OwnNames | undefined;
  readonly tls: TlsFiles | undefined;
  readonly unsent: Unsent;
  readonly clock: Clock;
  readonly log: Logger;
}

export function addRpcs(
  rpcs: Map<string, Rpc>,
  service: ServiceDefinition,
  handlers: UntypedServiceImplementation,
): void {
  for (const [name, definition] of Object.entries(service)) {
    const handler = handlers[name];
    if (handler) rpcs.set(definition.path, { definition, handler });
  }
}

/** Takes a request, if it is a call. */
export type TakeCall = (request: IncomingMessage, response: ServerResponse) => boolean;

type Handler = (
  call: Pick<ConnectCall, 'cancelled' | 'metadata' | 'getPath' | 'getPeer'>,
  callback: (error: Partial<StatusObject> | null, message?: unknown, trailers?: Metadata) => void,
) => void;

interface Exchange extends Asked {
  readonly path: string;
  readonly codec: Codec;
  readonly handler: Handler;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly outgoing: Outgoing;
  readonly message: Buffer;
  readonly deadlineMs: number;
}

/** Time for a peer to take the end of its stream, milliseconds. */
const lingerMs = 1000;
/** "/package.Service/Method" */
const pathPattern = /^\/[a-z][\w.]*\.[A-Z]\w*\/\w+$/;

/**
 * The Connect protocol (https://connectrpc.com/docs/protocol): calls over HTTP/1.1, as JSON or
 * protobuf's bytes. Each becomes a call of the adapter's own, and so has the deadlines,
 * admission, access, errors and metrics of one that came by gRPC.
 */
export class ConnectServer {
  readonly #answering = new Set<ServerResponse>();
  #unfinished = 0;
  #onIdle = () => {};

  constructor(private readonly options: ConnectOptions) {}

  readonly take: TakeCall = (request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    if (!pathPattern.test(path)) return false;
    this.#answering.add(response);
    response.once('close', () => {
      this.#answering.delete(response);
      if (this.#answering.size === 0) this.#onIdle();
    });
    this.#serve(path, request, response).catch((error) => this.#refuse(response, error));
    return true;
  };

  /** Resolves when no call is under way; after `graceMs` those that are left are cut off. */
  async idle(graceMs: number): Promise<void> {
    if (this.#answering.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    const timer = this.options.clock.schedule(graceMs, () => {
      for (const response of this.#answering) response.destroy();
    });
    await promise;
    timer.cancel();
  }

  #refuse(response: ServerResponse, error: unknown): void {
    if (error instanceof CallerGone) return;
    if (error instanceof Refusal) refuseRequest(response, error);
    else refuseUnary(response, this.#internal(error));
  }

  #internal(error: unknown): Partial<StatusObject> {
    this.options.log.error({ err: error }, 'internal error');
    const details = 'the master met an error of its own: its log has it';
    return { code: Code.INTERNAL, details };
  }

  async #serve(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#expectOurs(request);
    const rpc = this.options.rpcs.get(path);
    if (!rpc) throw new Refusal(Code.UNIMPLEMENTED, 'there is no such method', 404);
    if (request.method !== 'POST') {
      throw new Refusal(Code.UNIMPLEMENTED, 'only POST', 405, { allow: 'POST' });
    }
    const { definition } = rpc;
    const asked = askedBy(request.headers, definition);
    const cameAtMs = Date.now();
    const message = await this.#messageOf(request, asked);
    const exchange: Exchange = {
      ...asked,
      path,
      codec: codecOf(definition, asked.format),
      handler: rpc.handler as Handler,
      request,
      response,
      outgoing: outgoingOf(response),
      message,
      deadlineMs: cameAtMs + asked.timeoutMs,
    };
    if (asked.isStream) this.#stream(exchange);
    else this.#unary(exchange);
  }

  /** @throws Refusal */
  #expectOurs({ headers, socket }: IncomingMessage): void {
    const { tls, names } = this.options;
    const problem = tls?.problemOf(socket as TLSSocket);
    if (problem !== undefined) {
      throw new Refusal(Code.PERMISSION_DENIED, `not for this client: ${problem}`);
    }
    expectOwnSite(headers);
    if (names) expectOwnName(headers.host, names);
  }

  /** @throws Refusal, CallerGone */
  async #messageOf(request: IncomingMessage, { isStream, encoding }: Asked): Promise<Buffer> {
    const { maxMessageBytes: most, maxUnfinished } = this.options;
    if (this.#unfinished >= maxUnfinished) {
      throw new Refusal(Code.RESOURCE_EXHAUSTED, 'too many requests are not whole yet');
    }
    this.#unfinished++;
    try {
      const body = await readBody(request, most);
      if (!isStream) return await decoded(body, encoding, most);
      const { message, isCompressed } = onlyMessage(body);
      if (isCompressed && encoding === '') {
        throw malformed('the message is compressed, and no connect-content-encoding says how');
      }
      return isCompressed ? await decoded(message, encoding, most) : message;
    } finally {
      this.#unfinished--;
    }
  }

  #unary(exchange: Exchange): void {
    const { response, handler } = exchange;
    handler(this.#callOf(exchange), (error, message, trailers) => {
      this.#endsWithin(response, this.options.stallMs);
      if (error) return refuseUnary(response, error);
      this.#answer(exchange, message, trailers).catch((failure) => this.#refuse(response, failure));
    });
  }

  async #answer(exchange: Exchange, message: unknown, trailers: Metadata | undefined) {
    const { response, codec, format, accepts, outgoing } = exchange;
    const bytes = codec.response(message);
    await answerUnary(response, { format, bytes, accepts, trailers });
    this.options.unsent.watch(outgoing, false);
  }

  #stream(exchange: Exchange): void {
    const { response, handler, format, accepts } = exchange;
    beginStream(response, format, /gzip/i.test(accepts));
    handler(this.#callOf(exchange), () => {});
  }

  #callOf(exchange: Exchange): ConnectCall {
    const { path, codec, request, response, message, deadlineMs } = exchange;
    const { remoteAddress, remotePort } = request.socket;
    const { authorization, traceparent } = request.headers;
    return new ConnectCall({
      path,
      peer: `${remoteAddress}:${remotePort}`,
      headers: { authorization, traceparent: traceparent?.toString() },
      deadlineMs,
      request: () => codec.request(message),
      response,
      write: (one, onTaken) => {
        this.#write(exchange, one, onTaken).catch((error) => {
          endStream(response, this.#internal(error));
          response.destroy();
        });
      },
      ending: (isRefused) => {
        this.#endsWithin(response, isRefused ? lingerMs : this.options.stallMs);
      },
      end: (status) => endStream(response, status),
    });
  }

  async #write(
    { codec, response, accepts, outgoing }: Exchange,
    one: unknown,
    onTaken: () => void,
  ) {
    const bytes = codec.response(one);
    const small = await zipped(bytes, accepts);
    const frame = enveloped(small ?? bytes, { isCompressed: small !== undefined });
    response.write(frame, () => onTaken());
    this.options.unsent.watch(outgoing, false);
  }

  /** Cuts an answer off of which its peer has read nothing for so long. */
  #endsWithin(response: ServerResponse, idleMs: number): void {
    if (!response.destroyed) response.setTimeout(idleMs);
  }
}

const outgoingOf = (response: ServerResponse): Outgoing => ({
  get writableLength() {
    return response.writableLength;
  },
  get destroyed() {
    return response.destroyed || response.writableFinished;
  },
  close: () => response.destroy(),
});
