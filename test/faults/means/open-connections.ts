import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { HeartbeatRequest } from '../../../src/gen/pandafuzz/v1/heartbeat.js';
import { atEnd } from '../../endings.js';
import { framed, RawClient } from '../../wire/raw-client.js';

/** The client's half of HTTP/2's handshake, with empty SETTINGS. */
export const greeting = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

/** A call of Connect whose body never ends. */
const connectCall = (method: string, type: string, body: string) =>
  `POST /pandafuzz.v1.JobService/${method} HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\n` +
  `transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n`;
/** The one message of a server stream, in its envelope. */
const watching = '\0\0\0\0\x02{}';

/** A connection on which nothing more is done. */
export async function openSocket(address: string, said?: string | Buffer): Promise<Socket> {
  const [host, port] = address.split(':');
  // Half-open: the end of the other side does not end this one.
  const socket = connect({ host: host as string, port: Number(port), allowHalfOpen: true });
  atEnd(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  if (said !== undefined) socket.write(said);
  return socket;
}

/**
 * Every kind of connection and call that stays open: silent, half a request, idle, half-open,
 * not reading, calls begun and never finished, and the heartbeat of this bot.
 *
 * @returns how many they are
 */
export async function openEveryKind(grpc: string, http: string, botId: string): Promise<number> {
  await openSocket(grpc);
  await openSocket(grpc, 'half a');
  await openSocket(grpc, greeting);
  (await openSocket(grpc, greeting)).end();
  (await openSocket(grpc, greeting)).pause();
  await openSocket(http);
  await openSocket(http, 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
  await openSocket(http, 'POST /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf');
  await openSocket(http, connectCall('ListJobs', 'application/json', '{"half'));
  await openSocket(http, connectCall('WatchJobs', 'application/connect+json', watching));
  (await openSocket(http, connectCall('WatchJobs', 'application/connect+json', watching))).pause();
  const idle = connectHttp2(`http://${grpc}`);
  atEnd(() => idle.destroy());
  idle.on('error', () => {});
  await once(idle, 'connect');
  const raw = new RawClient(grpc);
  const calls = ['ArtifactService/UploadArtifact', 'BotService/Heartbeat', 'JobService/GetJob'];
  for (const call of calls) {
    raw.open(`/pandafuzz.v1.${call}`).stream.write(framed(Buffer.alloc(100)).subarray(0, 20));
  }
  const value = { botId, instanceId: botId, freeSlots: 0, leases: [] };
  const stream = new RawClient(grpc, { initialWindowSize: 0 }).open(
    '/pandafuzz.v1.BotService/Heartbeat',
  );
  stream.send(HeartbeatRequest.encode({ message: { $case: 'hello', value } }).finish());
  return 12 + calls.length + 1;
}
