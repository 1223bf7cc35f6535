import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type Http2Server,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { CallTurns } from '../../../src/rpc/edge/call-turns.js';
import { atEnd } from '../../endings.js';

const many = 3000;

test('calls that come at once begin in many turns, and each connection has its own', async () => {
  const { server, begun, mostInTurn } = await counted();
  const flood = client(server);
  const answers = Array.from({ length: many }, (_, i) => answered(flood, `/flood/${i}`));
  await answers[0]; // the flood is under way
  await answered(client(server), '/other');
  expect(begun.indexOf('/other')).toBeLessThan(many / 2);
  await Promise.all(answers);
  const ofFlood = begun.filter((path) => path !== '/other');
  expect(ofFlood).toEqual(Array.from({ length: many }, (_, i) => `/flood/${i}`));
  expect(mostInTurn()).toBeLessThan(300);
});

test('calls that were reset before their turn never begin', async () => {
  const { server, begun } = await counted();
  const flood = client(server);
  const some = 800; // beyond 1000 Node takes it for an attack
  for (let i = 0; i < some; i++) {
    const stream = flood.request({ ':path': '/' });
    stream.on('error', () => {});
    stream.close(constants.NGHTTP2_CANCEL);
  }
  await answered(flood, '/last');
  expect(begun.at(-1)).toBe('/last');
  expect(begun.length).toBeLessThan(some / 2);
});

test('a connection that ends with calls that wait takes nothing from others', async () => {
  const { server } = await counted();
  const flood = client(server);
  for (let i = 0; i < many; i++) {
    flood.request({ ':path': '/' }).on('error', () => {});
  }
  await new Promise(setImmediate);
  flood.destroy();
  await answered(client(server), '/other');
});

/** A server that notes which calls begin, and how many in one turn of the event loop. */
async function counted() {
  const server = createServer();
  const begun: string[] = [];
  let inTurn = 0;
  let most = 0;
  server.on('stream', (stream, headers) => {
    begun.push(String(headers[':path']));
    if (inTurn++ === 0) {
      setImmediate(() => {
        inTurn = 0;
      });
    }
    most = Math.max(most, inTurn);
    stream.on('error', () => {});
    stream.respond({ ':status': 200 }, { endStream: true });
  });
  CallTurns.before(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  atEnd(() => void server.close());
  return { server, begun, mostInTurn: () => most };
}

function client(server: Http2Server): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  session.on('error', () => {});
  atEnd(() => session.destroy());
  return session;
}

async function answered(session: ClientHttp2Session, path: string): Promise<void> {
  const stream = session.request({ ':path': path });
  stream.resume();
  await once(stream, 'close');
}
