import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import {
  status as Code,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Clock } from '../../core/clock.js';
import type { TlsFiles } from '../../core/tls-files.js';
import { refuseRequest } from './answer.js';
import { type Asked, askedBy, askedByQuery, streamFormatOf } from './asked.js';
import { Bodies, CallerGone } from './body.js';
import { expectOwnName, expectOwnSite, type OwnNames } from './browsers.js';
import type { Definition } from './codec.js';
import { unzipped } from './compression.js';
import { hasNoSideEffects } from './descriptors.js';
import { Ends } from './ends.js';
import { onlyMessage } from './envelope.js';
import { type ExchangeParts, type Handler, serve } from './exchange.js';
import { internal, malformed, Refusal } from './refusal.js';

/** A method of the contract, and its handler as the adapter composed it. */
export interface Rpc {
  readonly definition: Definition;
  readonly handler: Handler;
}

export interface ConnectOptions extends ExchangeParts {
  /** By "/package.Service/Method". */
  readonly rpcs: ReadonlyMap<string, Rpc>;
  readonly maxMessageBytes: number;
  /** Requests whose body is under way, over all connections. */
  readonly maxUnfinished: number;
  /** Where no tokens keep others out. */
  readonly names: OwnNames | undefined;
  readonly tls: TlsFiles | undefined;
  readonly clock: Clock;
}

/** Takes a request, if it is a call. */
export type TakeCall = (request: IncomingMessage, response: ServerResponse) => boolean;

export function addRpcs(
  rpcs: Map<string, Rpc>,
  service: ServiceDefinition,
  handlers: UntypedServiceImplementation,
): void {
  for (const [name, definition] of Object.entries(service)) {
    const handler = handlers[name];
    if (handler) rpcs.set(definition.path, { definition, handler: handler as Handler });
  }
}

/** "/package.Service/Method" */
const pathPattern = /^\/[a-z][\w.]*\.[A-Z]\w*\/\w+$/;

/** Answers calls while the master starts. */
export const notYet: TakeCall = (request, response) => {
  if (!pathPattern.test(pathOf(request))) return false;
  const refusal = new Refusal(Code.UNAVAILABLE, 'the master is starting: try again', 503, {
    'retry-after': '1',
  });
  refuseRequest(response, refusal, undefined);
  return true;
};

const pathOf = ({ url }: IncomingMessage): string => url?.split('?', 1)[0] ?? '';

/**
 * The Connect protocol (https://connectrpc.com/docs/protocol): calls over HTTP/1.1, as JSON or
 * protobuf's bytes. Each becomes a call of the adapter's own, and so has the deadlines,
 * admission, access, errors and metrics of one that came by gRPC. What is no such call is
 * refused here.
 */
export class ConnectServer {
  readonly #answering = new Set<ServerResponse>();
  readonly #ends = new Ends();
  readonly #bodies: Bodies;
  #onIdle = () => {};

  constructor(private readonly options: ConnectOptions) {
    const { maxMessageBytes: longest, maxUnfinished: most } = options;
    this.#bodies = new Bodies({ longest, most });
  }

  readonly take: TakeCall = (request, response) => {
    const path = pathOf(request);
    if (!pathPattern.test(path)) return false;
    const query = request.url?.slice(path.length + 1) ?? '';
    const gone = new AbortController();
    this.#answering.add(response);
    this.#ends.watch(request, response, () => {
      gone.abort();
      this.#answering.delete(response);
      if (this.#answering.size === 0) this.#onIdle();
    });
    this.#serve({ path, query, request, response }, gone.signal).catch((error) => {
      if (error instanceof CallerGone) return;
      const refusal = error instanceof Refusal ? error : internal(error, this.options.log);
      refuseRequest(response, refusal, streamFormatOf(request.headers));
    });
    return true;
  };

  /** Resolves when no call is under way; after `graceMs` those that are left are cut off. */
  async idle(graceMs: number): Promise<void> {
    if (this.#answering.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    const timer = this.options.clock.schedule(graceMs, () => {
      for (const { req } of this.#answering) req.socket.destroy();
    });
    await promise;
    timer.cancel();
  }

  async #serve(one: Incoming, gone: AbortSignal): Promise<void> {
    this.#expectOurs(one.request);
    const rpc = this.options.rpcs.get(one.path);
    if (!rpc) throw new Refusal(Code.UNIMPLEMENTED, 'there is no such method', 404);
    const cameAtMs = Date.now();
    const { asked, message } = await this.#read(one, rpc.definition);
    const { path, request, response } = one;
    const deadlineMs = cameAtMs + asked.timeoutMs;
    serve({ ...rpc, asked, path, request, response, message, deadlineMs, gone }, this.options);
  }

  /** @throws Refusal */
  #expectOurs({ headers, socket }: IncomingMessage): void {
    const { tls, names } = this.options;
    const problem = tls?.problemOf(socket as TLSSocket);
    if (problem !== undefined) {
      throw new Refusal(Code.PERMISSION_DENIED, `not for this client: ${problem}`, 403);
    }
    expectOwnSite(headers);
    if (names) expectOwnName(headers.host, names);
  }

  /** @throws Refusal, CallerGone */
  async #read(
    { path, query, request }: Incoming,
    definition: Definition,
  ): Promise<{ asked: Asked; message: Buffer }> {
    const { method, headers } = request;
    if (method === 'POST') {
      const asked = askedBy(headers, definition);
      return { asked, message: await this.#messageOf(await this.#bodies.read(request), asked) };
    }
    const isReadable = !definition.responseStream && hasNoSideEffects(path);
    if (method === 'GET' && isReadable) {
      const { asked, message } = askedByQuery(headers, new URLSearchParams(query));
      return { asked, message: await this.#messageOf(message, asked) };
    }
    const allow = isReadable ? 'GET, POST' : 'POST';
    throw new Refusal(Code.UNIMPLEMENTED, `this method takes ${allow} only`, 405, { allow });
  }

  /** @throws Refusal */
  async #messageOf(body: Buffer, { isStream, encoding }: Asked): Promise<Buffer> {
    const { maxMessageBytes: longest } = this.options;
    if (!isStream) return await unzipped(body, encoding, longest);
    const { message, isCompressed } = onlyMessage(body);
    if (!isCompressed) return message;
    if (encoding === 'gzip') return await unzipped(message, encoding, longest);
    throw malformed('the message is compressed, and no connect-content-encoding says how');
  }
}

interface Incoming {
  readonly path: string;
  readonly query: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}
