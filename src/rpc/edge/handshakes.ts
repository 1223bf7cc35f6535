import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import { AddressLimits } from '../../core/address-limits.js';
import type { Clock } from '../../core/clock.js';
import { codeOf, messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import type { TlsFiles } from '../../core/tls-files.js';

/**
 * TLS before everything else that a connection meets. grpc-js gets sockets whose handshake is
 * done, as if they were plain ones: so what is bounded there is bounded with TLS too, and a
 * change of the certificate touches connections that begin later alone.
 */

/** Longest handshake, milliseconds: two round trips, behind a queue of a fleet's others. */
const longestMs = 20_000;
/** Failed handshakes that are logged, by address: what scans a network comes again and again. */
const loggedFailures = { atOnce: 10, perSecond: 1 / 60 };

/**
 * @param idleMs longest that a connection may do nothing
 * @returns the way for accepted connections; `take` gets those that may speak
 */
export function handshakes(
  files: TlsFiles,
  take: (connection: Socket) => void,
  { clock, log, idleMs }: { clock: Clock; log: Logger; idleMs: number },
): (connection: Socket) => void {
  const logged = new AddressLimits(loggedFailures, clock);
  const failed = (connection: Socket, why: string) => {
    const address = connection.remoteAddress ?? '';
    if (logged.take(address)) log.warn({ address, why }, 'TLS handshake failed');
  };
  const server = createServer({
    ...files.options,
    ALPNProtocols: ['h2'],
    handshakeTimeout: Math.min(longestMs, idleMs),
    requestCert: files.wantsClients,
    // Looked at below, where the reason can be logged.
    rejectUnauthorized: false,
  });
  files.onChanged((options) => server.setSecureContext(options));
  server.on('tlsClientError', (error, connection) => {
    failed(connection, reasonOf(error));
    // A handshake that takes too long is reported only.
    connection.destroy();
  });
  server.on('secureConnection', (connection) => {
    const problem = files.problemOf(connection);
    if (problem === undefined) return take(connection);
    failed(connection, problem);
    connection.destroy();
  });
  return (connection) => {
    // The socket of TLS reports it too; without a listener an error would end the master.
    connection.on('error', () => {});
    server.emit('connection', connection);
  };
}

function reasonOf(error: Error): string {
  switch (codeOf(error)) {
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_HTTP_REQUEST':
      return 'it does not speak TLS: it needs --ca FILE';
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
      return 'it speaks no TLS 1.3';
    case 'ECONNRESET':
      return 'it left, as who does not trust the certificate does';
    default:
      return messageOf(error);
  }
}
