import type { TLSSocket } from 'node:tls';

/** As CreateToken takes them: a kind, and a name without what would need quotes. */
const plain = /^(DNS|URI|email):[^\s",]{1,250}$/;

/** Names of the connections' certificates: each is read once. */
const known = new WeakMap<object, readonly string[]>();

/**
 * Names of the certificate with which a connection has shown who it is (subjectAltName):
 * "DNS:north", "URI:spiffe://fuzz/north". None without tls.client_ca.
 *
 * @param connection a session of HTTP/2, or the socket of a request over HTTP
 */
export function certificateNamesOf(connection: object): readonly string[] {
  const before = known.get(connection);
  if (before) return before;
  const names = namesIn('socket' in connection ? Object(connection.socket) : connection);
  known.set(connection, names);
  return names;
}

function namesIn(socket: Partial<TLSSocket>): readonly string[] {
  // What the handshake has not verified against tls.client_ca names nobody.
  if (socket.authorized !== true) return [];
  const names = socket.getPeerX509Certificate?.()?.subjectAltName?.split(', ') ?? [];
  return names.filter((name) => plain.test(name));
}
