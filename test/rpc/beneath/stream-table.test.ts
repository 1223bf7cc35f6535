import { once } from 'node:events';
import { type ClientHttp2Stream, connect, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { http2ServersOf, stateOf } from '../../../src/rpc/beneath/shapes.js';
import { keepStreamsApart, StreamTable } from '../../../src/rpc/beneath/stream-table.js';
import { atEnd } from '../../harness.js';

const asIs = (bytes: Buffer) => bytes;
/** A call that is never answered; every other is UNIMPLEMENTED. */
const service = {
  hold: {
    path: '/test/Hold',
    requestStream: true,
    responseStream: true,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
} as const;

/** A gRPC server, and a plain HTTP/2 client of it. */
async function connected() {
  const server = new Server();
  server.addService(service, { hold: () => {} });
  const connections = server.createConnectionInjector(ServerCredentials.createInsecure());
  keepStreamsApart(server);
  const sessions: ServerHttp2Session[] = [];
  const [http2] = http2ServersOf(server);
  http2?.on('session', (session) => sessions.push(session));
  const listener = createServer((socket) => connections.injectConnection(socket));
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  const client = connect(`http://127.0.0.1:${(listener.address() as AddressInfo).port}`);
  client.on('error', () => {});
  atEnd(() => {
    client.destroy();
    server.forceShutdown();
    listener.close();
  });
  await once(client, 'connect');
  return { server, client, sessions };
}

/** Where Node keeps the streams of a session. */
const tableOf = (session: ServerHttp2Session | undefined): StreamTable<unknown> =>
  stateOf(session as ServerHttp2Session)?.streams as StreamTable<unknown>;

const asking = (path: string) => ({
  ':method': 'POST',
  ':path': path,
  'content-type': 'application/grpc',
});

const ended = (stream: ClientHttp2Stream) => once(stream.resume(), 'close');

test('Node keeps the streams of a connection in our table, and each leaves it when it ends', async () => {
  const { client, sessions } = await connected();
  for (let round = 0; round < 3; round++) {
    const streams = Array.from({ length: 50 }, () => client.request(asking('/test/None')));
    await Promise.all(streams.map((stream) => once(stream, 'response')));
    const table = tableOf(sessions[0]);
    expect(table).toBeInstanceOf(StreamTable);
    expect(table.size).toBe([...table].length);
    await Promise.all(streams.map((stream) => ended(stream.end())));
    await settled(() => table.size === 0);
    expect([...table.keys()]).toEqual([]);
  }
});

test('a connection that is destroyed ends the streams in it', async () => {
  const { client, sessions } = await connected();
  const streams = Array.from({ length: 20 }, () => client.request(asking('/test/Hold')));
  for (const stream of streams) stream.on('error', () => {});
  await settled(() => sessions[0] !== undefined && tableOf(sessions[0]).size === 20);
  sessions[0]?.destroy();
  await Promise.all(streams.map(ended));
  await settled(() => tableOf(sessions[0]).size === 0);
});

test('the table is a Map to its readers', () => {
  const table = new StreamTable<string>();
  table.set(7, 'seven').set(1, 'one').set(7, 'SEVEN');
  expect(table.size).toBe(2);
  expect([...table]).toEqual([
    [1, 'one'],
    [7, 'SEVEN'],
  ]);
  expect([[...table.keys()], [...table.values()]]).toEqual([
    [1, 7],
    ['one', 'SEVEN'],
  ]);
  expect([table.has(7), table.get(7), table.has(3), table.get(3)]).toEqual([
    true,
    'SEVEN',
    false,
    undefined,
  ]);
  const seen: unknown[] = [];
  table.forEach((stream, id) => {
    seen.push([id, stream]);
    table.delete(id);
  });
  expect(seen).toHaveLength(2);
  expect([table.size, table.delete(7)]).toEqual([0, false]);
  table.set(9, 'nine').clear();
  expect([table.size, [...table]]).toEqual([0, []]);
});

async function settled(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
