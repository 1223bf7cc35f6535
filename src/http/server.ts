import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type Address, formatAddress } from '../config/quantities.js';
import { cannotListen } from '../core/errors.js';
import type { Logger } from '../core/log.js';
import type { TlsFiles } from '../core/tls-files.js';
import type { Metrics } from '../metrics.js';
import { PageFiles } from './page-files.js';

export interface HttpServer {
  /** Where it listens; the port is the real one. */
  readonly address: Address;
  stop(): Promise<void>;
}

type HttpOptions = Parameters<typeof startHttpServer>[0];

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Pages for Prometheus and probes: /metrics; /healthz (the process lives); /readyz (it
 * accepts work). For people: the page, at / (page-files.ts). Calls by the Connect protocol are
 * passed on.
 *
 * @throws UserError if it cannot listen on the address
 */
export async function startHttpServer(options: {
  address: Address;
  /** Absent: without TLS. */
  tls?: TlsFiles | undefined;
  metrics: Metrics;
  ready: () => boolean;
  /** Answers a request that is a call (rpc/connect/), and returns whether it is one. */
  takeCall: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Why a caller does not get a page, if so. */
  refusalOf: (
    path: string,
    asked: { authorization: string | undefined; address: string; connection: Socket },
  ) => Error | undefined;
  /** Whether a new connection may stay. */
  takeConnection: (connection: Socket) => boolean;
  log: Logger;
}): Promise<HttpServer> {
  const files = await PageFiles.read();
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (options.takeCall(request, response)) return;
    pageFor(request, files, options)
      .catch((error) => {
        options.log.error({ err: error, path: request.url }, 'page failed');
        return plain(500, 'internal error of the master: its log has it\n');
      })
      .then((page) => send(response, page));
  };
  const server = options.tls ? securedServer(options.tls, answer) : createServer(times, answer);
  const connections = ownConnections(server, options.takeConnection);
  const { host, port } = options.address;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(cannotListen('HTTP', formatAddress(options.address), error)),
    );
    server.listen(port, host, resolve);
  });
  return {
    address: { host, port: (server.address() as AddressInfo).port },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const connection of connections) connection.destroy();
      }),
  };
}

/** By default Node looks at them every 30 s: so long could a request without an end stay. */
const times = { requestTimeout: 10_000, headersTimeout: 5000, connectionsCheckingInterval: 1000 };
/** Longest handshake of TLS, milliseconds. */
const handshakeTimeout = 10_000;

/**
 * Probes have no certificates of their own, so that one is asked for and need not be there;
 * `pageFor` looks at it.
 */
function securedServer(tls: TlsFiles, answer: RequestListener): Server {
  const clients = { requestCert: tls.wantsClients, rejectUnauthorized: false };
  const server = createTlsServer(
    { ...times, handshakeTimeout, ...clients, ...tls.options },
    answer,
  );
  tls.onChanged((now) => server.setSecureContext(now));
  return server;
}

/** The accepted connections, also those whose handshake is not done. */
function ownConnections(
  server: Server,
  take: (connection: Socket) => boolean,
): ReadonlySet<Socket> {
  const connections = new Set<Socket>();
  server.on('connection', (connection) => {
    if (!take(connection)) return;
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
  });
  return connections;
}

async function pageFor(
  request: IncomingMessage,
  files: PageFiles,
  { metrics, ready, refusalOf, tls }: HttpOptions,
): Promise<Page> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'only GET\n');
  const path = request.url?.split('?', 1)[0] ?? '';
  const { authorization } = request.headers;
  const { socket: connection } = request;
  const address = connection.remoteAddress ?? '';
  const problem = path === '/metrics' ? tls?.problemOf(connection as TLSSocket) : undefined;
  if (problem !== undefined) return plain(403, `not for this client: ${problem}\n`);
  const refusal = pages.has(path)
    ? refusalOf(path, { authorization, address, connection })
    : undefined;
  if (refusal) return refused(refusal);
  switch (path) {
    case '/metrics':
      return {
        status: 200,
        type: metrics.registry.contentType,
        body: await metrics.registry.metrics(),
      };
    case '/healthz':
      return plain(200, 'alive\n');
    case '/readyz':
      return ready() ? plain(200, 'ready\n') : plain(503, 'not ready\n');
    default:
      return (
        files.answer(path, request.headers) ??
        plain(404, 'there are / for people, /metrics, /healthz and /readyz\n')
      );
  }
}

/** What there is; anything else is answered without a question for its caller. */
const pages = new Set(['/metrics', '/healthz', '/readyz']);

const httpStatuses: Record<string, number> = {
  UnauthenticatedError: 401,
  PermissionError: 403,
  OverloadError: 429,
};

function refused(refusal: Error): Page {
  return plain(httpStatuses[refusal.name] ?? 403, `${refusal.message}\n`);
}

const plain = (status: number, body: string): Page => ({ status, type: 'text/plain', body });

function send(response: ServerResponse, page: Page): void {
  const asks = page.status === 401 ? { 'www-authenticate': 'Bearer realm="pandafuzz"' } : {};
  const headers = { 'content-type': page.type, 'x-content-type-options': 'nosniff' };
  const length = page.body === undefined ? 0 : Buffer.byteLength(page.body);
  const size = page.status === 304 ? {} : { 'content-length': String(length) };
  response.writeHead(page.status, { ...headers, ...size, ...page.headers, ...asks });
  response.end(page.body);
}
