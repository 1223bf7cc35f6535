import { once } from 'node:events';
import { connect } from 'node:net';
import { atEnd } from '../../endings.js';
import { type Abuse, abuse, distinct, slowAbuse } from '../abuse.js';
import { preface, settings } from '../frames.js';
import type { Stage } from '../stage.js';

/** The port of /metrics, /healthz and /readyz. */

/** What is said, and the status of what comes first; "closed": nothing came. */
async function said(
  { http }: Stage,
  text: string | Buffer,
  { ends = false } = {},
): Promise<string> {
  const [host = '', port] = http.split(':');
  const socket = connect(Number(port), host);
  atEnd(() => socket.destroy());
  socket.on('error', () => {});
  let heard = '';
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const answered = new Promise((resolve) =>
    socket.on('data', (bytes: Buffer) => {
      heard += bytes.toString('latin1');
      if (heard.includes('\r\n\r\n')) resolve(undefined);
    }),
  );
  socket.write(text);
  if (ends) socket.end();
  await Promise.race([answered, closed]);
  socket.destroy();
  const [, status] = /^HTTP\/1\.1 (\d+)/.exec(heard) ?? [];
  return status ? `HTTP ${status}` : 'closed';
}

const get = (path: string, ...headers: readonly string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: master', ...headers, '', ''].join('\r\n');

const lines: readonly Abuse[] = [
  ...[
    '/../../../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/..%2f..%2fetc/passwd',
    '/__proto__',
    '/constructor',
    '//metrics',
    '/metrics/../admin.token',
    '/metrics%00',
  ].map((path) => abuse(`GET ${path}`, 'HTTP 404', (s) => said(s, get(path)))),
  abuse('GET of a whole URL elsewhere', /^HTTP (404|400)/, (s) =>
    said(s, get('http://elsewhere.example/admin')),
  ),
  ...['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'].map((method) =>
    abuse(`${method} /metrics`, 'HTTP 405', (s) => said(s, get('/metrics').replace('GET', method))),
  ),
  abuse('CONNECT elsewhere', /^(closed|HTTP 40\d)/, (s) =>
    said(s, 'CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: a\r\n\r\n'),
  ),
  abuse('a method that nobody knows', 'HTTP 400', (s) =>
    said(s, get('/metrics').replace('GET', 'FUZZ')),
  ),
  abuse('a request without Host', 'HTTP 400', (s) => said(s, 'GET /healthz HTTP/1.1\r\n\r\n')),
  abuse('a request with two Hosts', /^HTTP (400|200)/, (s) =>
    said(s, get('/healthz', 'Host: other')),
  ),
  abuse('a Host of another site', 'HTTP 401', (s) =>
    said(s, get('/metrics').replace('master', 'evil.example')),
  ),
  abuse('a line break in a header', 'HTTP 400', (s) => said(s, get('/healthz', 'X: a\rb'))),
  abuse('NUL in a header', 'HTTP 400', (s) => said(s, get('/healthz', 'X: a\u0000b'))),
  abuse('two lengths', 'HTTP 400', (s) =>
    said(s, get('/healthz', 'Content-Length: 0', 'Content-Length: 5')),
  ),
  abuse('a length and chunks', 'HTTP 400', (s) =>
    said(s, get('/healthz', 'Content-Length: 4', 'Transfer-Encoding: chunked')),
  ),
  abuse('chunks of a negative length', /^HTTP (400|200)/, (s) =>
    said(s, `${get('/healthz', 'Transfer-Encoding: chunked')}-1\r\n\r\n`),
  ),
  abuse('an upgrade to h2c', /^HTTP (200|400|426)/, (s) =>
    said(
      s,
      get(
        '/healthz',
        'Connection: Upgrade, HTTP2-Settings',
        'Upgrade: h2c',
        'HTTP2-Settings: AAAA',
      ),
    ),
  ),
  abuse('an upgrade to a websocket', /^HTTP (200|400|426)/, (s) =>
    said(s, get('/healthz', 'Connection: Upgrade', 'Upgrade: websocket')),
  ),
  abuse('an expectation that nobody knows', /^HTTP (417|200)/, (s) =>
    said(s, get('/healthz', 'Expect: a-miracle')),
  ),
  abuse('HTTP/2 on the port of HTTP/1', /^(HTTP 400|closed)/, (s) =>
    said(s, Buffer.concat([preface, settings()])),
  ),
  abuse('headers of a megabyte', 'HTTP 431', (s) =>
    said(s, get('/healthz', `X: ${'a'.repeat(2 ** 20)}`)),
  ),
  abuse('ten thousand headers', 'HTTP 431', (s) =>
    said(s, get('/healthz', ...Array.from({ length: 10_000 }, (_, i) => `X-${i}: a`))),
  ),
  abuse('a line of a megabyte', 'HTTP 431', (s) => said(s, get(`/${'a'.repeat(2 ** 20)}`))),
  abuse('a token that is none', 'HTTP 401', (s) =>
    said(s, get('/metrics', 'Authorization: Bearer x')),
  ),
  abuse('the token of a bot', 'HTTP 403', (s) =>
    said(s, get('/metrics', `Authorization: Bearer ${s.tokens.bot}`)),
  ),
  abuse('a thousand requests before an answer is read', 'HTTP 200', (s) =>
    said(s, get('/healthz').repeat(1000)),
  ),
  abuse('five hundred connections that break off', 'closed', async ({ http }) => {
    const [host = '', port] = http.split(':');
    const all = Array.from({ length: 500 }, async () => {
      const socket = connect(Number(port), host);
      atEnd(() => socket.destroy());
      socket.on('error', () => {});
      socket.once('connect', () => {
        socket.write('GET /healthz HTTP/1.1\r\nHost: a');
        setImmediate(() => socket.resetAndDestroy());
      });
      await once(socket, 'close').catch(() => {});
      return 'closed';
    });
    return distinct(await Promise.all(all));
  }),
];

const slow: readonly Abuse[] = [
  slowAbuse('a request that never ends its headers', /^(HTTP 408|closed)/, (s) =>
    said(s, 'GET /healthz HTTP/1.1\r\nHost: a\r\nX: '),
  ),
  slowAbuse('a connection that says nothing over HTTP', /^(HTTP 408|closed)/, (s) => said(s, '')),
  slowAbuse('a body that never comes', /^HTTP (405|404|408)/, (s) =>
    said(s, 'POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n'),
  ),
];

export const http: readonly Abuse[] = [...slow, ...lines];
