import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import {
  status as Code,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Clock } from '../../core/clock.js';
import { PermissionError, ShuttingDownError, UnauthenticatedError } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { anonymous } from '../../core/principal.js';
import type { TlsFiles } from '../../core/tls-files.js';
import type { PageSessions } from '../../state/access/page-sessions.js';
import type { Access, SignedInBy } from '../access.js';
import { askedAt, type CallAudit } from '../audit.js';
import { certificateNamesOf } from '../certificate-names.js';
import { statusOf, verdictOn } from '../status.js';
import { refuseRequest, refuseUnary } from './answer.js';
import { type Asked, askedBy, askedByQuery, streamFormatOf } from './asked.js';
import { Bodies, CallerGone } from './body.js';
import {
  expectOwnName,
  expectOwnPage,
  expectOwnSite,
  isOfBrowser,
  type OwnNames,
} from './browsers.js';
import type { Definition } from './codec.js';
import { secretOf, setCookie } from './cookies.js';
import { hasNoSideEffects } from './descriptors.js';
import { Ends } from './ends.js';
import { onlyMessage } from './envelope.js';
import { type ExchangeParts, type Handler, serve } from './exchange.js';
import { Messages } from './messages.js';
import { internal, malformed, NotOurs, Refusal, tooMany } from './refusal.js';

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
  readonly access: Pick<Access, 'lets' | 'isOn'>;
  readonly sessions: PageSessions;
  /** Longest session: its cookie lasts as long. */
  readonly sessionMs: number;
  readonly audit: Pick<CallAudit, 'refused'>;
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

/** Open calls of one connection: clients that wait for an answer before they ask on have one. */
const mostOnConnection = 100;

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
  readonly #messages: Messages;
  #isStopping = false;
  #onIdle = () => {};

  constructor(private readonly options: ConnectOptions) {
    const { maxMessageBytes: longest, maxUnfinished: most } = options;
    this.#bodies = new Bodies({ longest, most });
    this.#messages = new Messages(longest);
  }

  readonly take: TakeCall = (request, response) => {
    const path = pathOf(request);
    if (!pathPattern.test(path)) return false;
    if (this.#isStopping) return this.#sendAway(response);
    if (this.#ends.openOn(request.socket) >= mostOnConnection) {
      const refusal = tooMany('too many calls of this connection are open');
      refuseRequest(response, refusal, undefined);
      return true;
    }
    const query = request.url?.slice(path.length + 1) ?? '';
    const gone = new AbortController();
    this.#answering.add(response);
    this.#ends.watch(request, response, () => {
      gone.abort(new CallerGone());
      this.#answering.delete(response);
      if (this.#answering.size === 0) this.#onIdle();
    });
    this.#serve({ path, query, request, response }, gone.signal).catch((error) => {
      if (error instanceof CallerGone) return;
      const refusal = error instanceof Refusal ? error : internal(error, this.options.log);
      if (refusal instanceof NotOurs) this.#note(request, path, refusal);
      refuseRequest(response, refusal, streamFormatOf(request.headers));
    });
    return true;
  };

  /** Later calls are refused. Resolves when none is under way; after `graceMs` those that are left are cut off. */
  async idle(graceMs: number): Promise<void> {
    this.#isStopping = true;
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
    const signedIn = this.#signedIn(one, gone);
    const cameAtMs = Date.now();
    const { asked, body } = await this.#read(one, rpc.definition);
    const { path, request, response } = one;
    const message = await this.#messageOf(
      this.#messages.hold(body, gone),
      asked,
      { ...one, signedIn },
      gone,
    );
    const deadlineMs = cameAtMs + asked.timeoutMs;
    serve(
      { ...rpc, asked, path, request, response, message, deadlineMs, gone, signedIn },
      this.options,
    );
  }

  /**
   * Who calls by the cookie of a session: a script of the page. The call ends with the session.
   *
   * @throws NotOurs
   */
  #signedIn({ request, response }: Incoming, gone: AbortSignal): SignedInBy {
    const { access, sessions, sessionMs } = this.options;
    const { headers, socket } = request;
    if (!access.isOn || headers.authorization) return undefined;
    const secret = secretOf(request);
    // A browser shows its certificate to every page that asks, as it does a cookie.
    const isCertified = isOfBrowser(headers) && certificateNamesOf(socket).length > 0;
    if (secret !== undefined || isCertified) expectOwnPage(headers);
    if (secret === undefined) return undefined;
    try {
      const { session, renewed } = sessions.find(secret);
      if (renewed !== undefined) setCookie(request, response, renewed, sessionMs);
      const close = () => request.socket.destroy();
      session.closers.add(close);
      gone.addEventListener('abort', () => session.closers.delete(close), { once: true });
      return session.token;
    } catch (error) {
      if (error instanceof UnauthenticatedError) return error;
      throw error;
    }
  }

  #sendAway(response: ServerResponse): true {
    const requestId = newId();
    const verdict = verdictOn(new ShuttingDownError(), { requestId, log: this.options.log });
    const headers = { connection: 'close', 'retry-after': '1' };
    refuseUnary(response, statusOf(verdict, requestId), 503, headers);
    return true;
  }

  /** Leaves a trace of a call that is none of ours, as access does of those that it refuses. */
  #note({ socket }: IncomingMessage, path: string, { reason, code, message }: NotOurs): void {
    const { rpcs, log, audit } = this.options;
    const address = socket.remoteAddress ?? '';
    const endpoint = rpcs.has(path) ? path : 'no method';
    log.warn({ path: address, endpoint, reason }, 'call refused');
    const call = askedAt(endpoint, address);
    const error = new PermissionError({ reason, why: message });
    audit.refused(call, { requestId: '', principal: anonymous }, { code, error, byAccess: true });
  }

  /** @throws NotOurs */
  #expectOurs({ headers, socket }: IncomingMessage): void {
    const { tls, names } = this.options;
    const problem = tls?.problemOf(socket as TLSSocket);
    if (problem !== undefined) {
      throw new NotOurs('CLIENT_CERTIFICATE', `not for this client: ${problem}`);
    }
    expectOwnSite(headers);
    if (names) expectOwnName(headers.host, names);
  }

  /** @throws Refusal, CallerGone */
  async #read(
    { path, query, request }: Incoming,
    definition: Definition,
  ): Promise<{ asked: Asked; body: Buffer }> {
    const { method, headers } = request;
    if (method === 'POST') {
      const asked = askedBy(headers, definition);
      return { asked, body: await this.#bodies.read(request) };
    }
    const isReadable = !definition.responseStream && hasNoSideEffects(path);
    if (method === 'GET' && isReadable) {
      const { asked, message: body } = askedByQuery(headers, new URLSearchParams(query));
      return { asked, body };
    }
    const allow = isReadable ? 'GET, POST' : 'POST';
    throw new Refusal(Code.UNIMPLEMENTED, `this method takes ${allow} only`, 405, { allow });
  }

  /**
   * The message of a body. That of a caller who is refused stays compressed: the adapter looks
   * at access before it, and refuses.
   *
   * @throws Refusal, CallerGone
   */
  async #messageOf(
    body: Buffer,
    { isStream, encoding }: Asked,
    { path, request, signedIn }: Incoming & { signedIn: SignedInBy },
    gone: AbortSignal,
  ): Promise<Buffer> {
    const isGzip = encoding === 'gzip' && body.length > 0;
    const { message, isCompressed } = isStream
      ? onlyMessage(body)
      : { message: body, isCompressed: isGzip };
    if (!isCompressed) return message;
    if (!isGzip) {
      throw malformed('the message is compressed, and no connect-content-encoding says how');
    }
    const { authorization } = request.headers;
    const credentials = { authorization, signedIn, connection: () => request.socket };
    if (!this.options.access.lets(path, credentials)) return message;
    return await this.#messages.inflated(message, gone);
  }
}

interface Incoming {
  readonly path: string;
  readonly query: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}
