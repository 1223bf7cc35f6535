import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { HeartbeatRequest } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import { atEnd } from '../harness.js';
import { Process, place, reach } from '../processes.js';
import { registerBot } from '../steps.js';
import { framed, RawClient } from '../wire/raw-client.js';

/** The client's half of HTTP/2's handshake, with empty SETTINGS. */
const greeting = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

/** A connection on which nothing is done but what the test does. */
async function open(address: string, said?: string | Buffer): Promise<Socket> {
  const [host, port] = address.split(':');
  // Half-open: the end of the other side does not end this one.
  const socket = connect({ host: host as string, port: Number(port), allowHalfOpen: true });
  atEnd(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  if (said !== undefined) socket.write(said);
  return socket;
}

describe('SIGTERM ends the master within 5 s', () => {
  test('with every kind of open connection', async () => {
    const { address, environment } = await place();
    const http = environment.PANDAFUZZ_HTTP_ADDRESS;
    const master = new Process(['master'], environment);
    await master.says('master ready');
    const connection = await reach(address);
    const bot = await registerBot(connection);
    await open(address);
    await open(address, 'half a');
    await open(address, greeting);
    (await open(address, greeting)).end();
    (await open(address, greeting)).pause();
    await open(http);
    await open(http, 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    await open(http, 'POST /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf');
    const idle = connectHttp2(`http://${address}`);
    atEnd(() => idle.destroy());
    idle.on('error', () => {});
    await once(idle, 'connect');
    const raw = new RawClient(address);
    const calls = ['ArtifactService/UploadArtifact', 'BotService/Heartbeat', 'JobService/GetJob'];
    for (const call of calls) {
      raw.open(`/pandafuzz.v1.${call}`).stream.write(framed(Buffer.alloc(100)).subarray(0, 20));
    }
    const value = {
      botId: bot.id,
      instanceId: bot.id,
      freeSlots: 0,
      leases: [],
    };
    const stream = new RawClient(address, { initialWindowSize: 0 }).open(
      '/pandafuzz.v1.BotService/Heartbeat',
    );
    stream.send(HeartbeatRequest.encode({ message: { $case: 'hello', value } }).finish());
    await master.says('bot connected');

    master.end('SIGTERM');
    expect(await master.exited).toEqual({ code: 0, signal: null });
    expect(master.said.trim().split('\n').at(-1)).toContain('master stopped');
  });

  test('and much sooner where no call is open', async () => {
    const { address, environment } = await place();
    const settings = { ...environment, PANDAFUZZ_TIMEOUTS_SHUTDOWN: '5m' };
    const master = new Process(['master'], settings);
    await master.says('master ready');
    await open(address);
    await open(address, greeting);
    master.end('SIGTERM');
    expect(await master.exited).toEqual({ code: 0, signal: null });
  });
});
