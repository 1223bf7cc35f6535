import { Server, ServerCredentials } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { missingGuards } from '../../../src/rpc/beneath/shapes.js';

test('the fields for correctness are there once connections can come in', () => {
  const server = new Server();
  expect(missingGuards(server)).toEqual(['server.http2Servers']);
  const connections = server.createConnectionInjector(ServerCredentials.createInsecure());
  expect(missingGuards(server)).toEqual([]);
  const another = Object.create(server, { commonServerOptions: {}, http2Servers: {} }) as Server;
  expect(missingGuards(another)).toEqual(['server.commonServerOptions', 'server.http2Servers']);
  connections.destroy();
});
