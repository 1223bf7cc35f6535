import type { TLSSocket } from 'node:tls';
import { sessionOf } from './beneath/session-of.js';

/** As CreateToken takes them: a kind, and a name without what would need quotes. */
const plain = /^(DNS|URI|email):[^\s",]{1,250}$/;

/** Names of the connections' certificates: each is read once. */
const known = new WeakMap<object, readonly string[]>();

/**
 * Names of the certificate with which the connection of a call by gRPC has shown who it is
 * (subjectAltName): "DNS:north", "URI:spiffe://fuzz/north". None without tls.client_ca.
 */
export function certificateNamesOf(call: object): readonly string[] {
  const session = sessionOf(call);
  if (!session) return [];
  const before = known.get(session);
  if (before) return before;
  const names = namesIn(session as Connected);
  known.set(session, names);
  return names;
}

/** A session of HTTP/2, whose socket is one of TLS where the master has that. */
interface Connected {
  readonly socket?: Partial<TLSSocket>;
}

function namesIn({ socket }: Connected): readonly string[] {
  // What the handshake has not verified against tls.client_ca names nobody.
  if (socket?.authorized !== true) return [];
  const names = socket.getPeerX509Certificate?.()?.subjectAltName?.split(', ') ?? [];
  return names.filter((name) => plain.test(name));
}
