import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, connect as open, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { silentLog } from '../../src/core/log.js';
import { type Listener, listen } from '../../src/rpc/listen.js';
import { patienceMs } from '../patience.js';
import { pause } from '../pause.js';

let listener: Listener | undefined;
const taken: Socket[] = [];
const take = (connection: Socket) => {
  connection.on('error', () => {});
  taken.push(connection);
};

afterEach(async () => {
  for (const connection of taken.splice(0)) connection.destroy();
  await listener?.stop();
  listener = undefined;
});

const reach = async (host: string, port: number) => {
  const socket = open({ host, port });
  await once(socket, 'connect');
  socket.destroy();
};

test('a name is listened to at every address it stands for, on one port', async () => {
  listener = await listen({ host: 'localhost', port: 0 }, take, silentLog);
  const { port } = listener.address;
  expect(port).toBeGreaterThan(0);
  await reach('127.0.0.1', port);
  await expect(listen({ host: '127.0.0.1', port }, take, silentLog)).rejects.toThrow(/in use/);
});

test.each([
  ['192.0.2.1', /EADDRNOTAVAIL/],
  ['no-such-host.invalid', /ENOTFOUND|EAI_AGAIN/],
])('%s cannot be listened to, and the error says why', async (host, why) => {
  await expect(listen({ host, port: 0 }, take, silentLog)).rejects.toThrow(why);
});

test('an address in use is said to be', async () => {
  const other = createServer().listen({ host: '127.0.0.1', port: 0 });
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  await expect(listen({ host: '127.0.0.1', port }, take, silentLog)).rejects.toThrow(
    `gRPC cannot listen on 127.0.0.1:${port} (it is in use): end the program that uses it, or set another grpc.address`,
  );
  other.close();
});

test('a stopped listener frees its port, keeps what it took, and has stopped when that has ended', async () => {
  listener = await listen({ host: '127.0.0.1', port: 0 }, take, silentLog);
  const { address } = listener;
  const socket = open(address);
  await once(socket, 'connect');
  while (taken.length === 0) await pause();
  const stopped = listener.stop();
  listener = await listen(address, take, silentLog);
  const [connection] = taken;
  connection?.write('still here');
  expect(String((await once(socket, 'data'))[0])).toBe('still here');
  let hasStopped = false;
  void stopped.then(() => {
    hasStopped = true;
  });
  for (let turns = 0; turns < 20; turns++) {
    socket.write('and here');
    await once(connection as Socket, 'data');
  }
  expect(hasStopped).toBe(false);
  socket.destroy();
  connection?.destroy();
  await stopped;
});

/** A fleet in a process of its own: `node -e FLEET PORT COUNT` ends when all of it is connected. */
const fleet = `
const [port, count] = process.argv.slice(1).map(Number);
let left = count;
const socket = () => require('node:net').connect(port, '127.0.0.1', () => --left || process.exit());
Array.from({ length: count }, socket);
`;

test('a fleet that comes at once finds room, though nobody takes its connections yet', async () => {
  const most = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
  const count = Math.min(2000, most);
  listener = await listen({ host: '127.0.0.1', port: 0 }, take, silentLog);
  // This process stands still meanwhile, and takes none: who found no room would never end.
  const args = ['-e', fleet, String(listener.address.port), String(count)];
  execFileSync(process.execPath, args, { timeout: patienceMs, stdio: 'inherit' });
  expect(taken).toHaveLength(0);
  while (taken.length < count) await pause();
});
