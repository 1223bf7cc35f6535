import { connect } from 'node:tls';
import { atEnd } from '../../endings.js';
import { type Abuse, abuse, distinct, slowAbuse } from '../abuse.js';
import { Peer, preface, settings } from '../frames.js';
import type { Stage } from '../stage.js';

/** Before a connection speaks. Whose certificates are taken is in test/rpc/access/tls.test.ts. */

const said =
  (bytes: Buffer) =>
  async ({ tls }: Stage) => {
    const peer = new Peer(tls.address);
    peer.send(bytes);
    return peer.ends();
  };

const hello = Buffer.from('160301020001000001fc0303', 'hex');

/** How a handshake with these wishes ends. */
const shakes =
  (wishes: object) =>
  ({ tls }: Stage): Promise<string> => {
    const [host = '', port] = tls.address.split(':');
    return new Promise((resolve) => {
      const socket = connect({ host, port: Number(port), rejectUnauthorized: false, ...wishes });
      atEnd(() => socket.destroy());
      socket.once('secureConnect', () => resolve('speaks'));
      socket.once('error', () => resolve('closed'));
      socket.once('close', () => resolve('closed'));
    });
  };

export const tls: readonly Abuse[] = [
  abuse('bytes of no protocol, where TLS is spoken', 'closed', said(Buffer.alloc(5000, 0xee))),
  abuse(
    'a ClientHello of garbage',
    'closed',
    said(Buffer.concat([hello, Buffer.alloc(508, 0xff)])),
  ),
  abuse(
    'a record of TLS longer than records are',
    'closed',
    said(Buffer.from('160301ffff', 'hex')),
  ),
  abuse(
    'HTTP/2 without TLS, where TLS is spoken',
    'closed',
    said(Buffer.concat([preface, settings()])),
  ),
  abuse(
    'HTTP/1 without TLS, where TLS is spoken',
    'closed',
    said(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')),
  ),
  abuse('TLS 1.2', 'closed', shakes({ maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'] })),
  abuse('TLS for HTTP/1', 'closed', shakes({ ALPNProtocols: ['http/1.1'] })),
  slowAbuse('half a ClientHello, and nothing more', 'closed', said(hello)),
  slowAbuse('nothing at all, where TLS is spoken', 'closed', said(Buffer.alloc(0))),
  abuse('three hundred handshakes that break off', 'closed', async (stage) => {
    const all = Array.from({ length: 300 }, () => {
      const peer = new Peer(stage.tls.address);
      peer.send(Buffer.concat([hello, Buffer.alloc(100)]));
      peer.socket.once('connect', () => setImmediate(() => peer.socket.resetAndDestroy()));
      return peer.ends();
    });
    return distinct(await Promise.all(all));
  }),
];
