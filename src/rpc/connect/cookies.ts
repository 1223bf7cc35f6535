import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';

/**
 * The cookie of a session: no script reads it, no page of another site sends it. Browsers send
 * cookies of one host to all its ports, so that its name has the port.
 */

const prefix = '__Host-';
const nameOf = ({ socket }: IncomingMessage) => `pandafuzz-${socket.localPort}`;

/** Over TLS, also where a proxy in front of the master speaks it: its browser says so. */
const isSecure = ({ socket, headers }: IncomingMessage): boolean =>
  (socket as TLSSocket).encrypted === true || headers.origin?.startsWith('https://') === true;

/** The secret of a request's session, if it has one. */
export function secretOf(request: IncomingMessage): string | undefined {
  return cookieOf(request)?.secret;
}

function cookieOf(request: IncomingMessage): { name: string; secret: string } | undefined {
  const name = nameOf(request);
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [key = '', secret = ''] = pair.trim().split('=', 2);
    if (key !== name && key !== prefix + name) continue;
    if (/^[0-9a-f]{64}$/.test(secret)) return { name: key, secret };
  }
  return undefined;
}

/** @param secret empty: the browser forgets it */
export function setCookie(
  request: IncomingMessage,
  response: ServerResponse,
  secret: string,
  lifetimeMs: number,
): void {
  if (response.headersSent) return;
  const name = cookieOf(request)?.name ?? (isSecure(request) ? prefix : '') + nameOf(request);
  const maxAge = secret === '' ? 0 : Math.floor(lifetimeMs / 1000);
  const attributes = ['Path=/', 'HttpOnly', 'SameSite=Strict', `Max-Age=${maxAge}`];
  if (name.startsWith(prefix)) attributes.push('Secure');
  response.setHeader('set-cookie', [`${name}=${secret}`, ...attributes].join('; '));
}
