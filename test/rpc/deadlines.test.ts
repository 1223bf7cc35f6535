import { once } from 'node:events';
import { constants, connect as http2Connect } from 'node:http2';
import { type AddressInfo, createServer, connect as netConnect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { status as Code } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { newId } from '../../src/core/ids.js';
import { ErrorInfo } from '../../src/gen/google/rpc/error_details.js';
import { atEnd, runMasterFor, temporaryFolder } from '../harness.js';
import { eventually, metric } from '../steps.js';
import { blockDatabase } from '../wire/block-database.js';
import { everyMethod } from '../wire/contract.js';
import { RawClient } from '../wire/raw-client.js';
import { validRequests } from '../wire/requests.js';

/** They read a file, know the answer, or are refused at once where calls need no tokens. */
const withoutDatabase = new Set([
  'SystemService/DownloadBlobFile',
  'SystemService/ListNotificationDestinations',
  'SystemService/TestNotification',
  'IdentityService/GetCaller',
  'IdentityService/EnrolBot',
  'IdentityService/BeginSignIn',
  'IdentityService/FinishSignIn',
  'IdentityService/SignOut',
]);

describe('every method', () => {
  test('ends at its deadline, neither before an earlier one nor after a later one, while the database can be neither read nor written', async () => {
    const directory = temporaryFolder();
    const settings = { PANDAFUZZ_SECRETS_KEY: 'ab'.repeat(32) };
    const { connection, address } = await runMasterFor(settings, directory);
    const requests = await validRequests(connection);
    const client = new RawClient(address);
    await client.call('/pandafuzz.v1.SystemService/GetSystemStats', [Buffer.alloc(0)]);
    const { release } = await blockDatabase(directory);
    const ended: string[] = [];
    const end = async (name: string, path: string, timeoutMs: number) => {
      const messages = requests[name];
      if (!messages) throw new Error(`test/wire/requests.ts has no request for ${name}`);
      const answer = await client.call(path, messages, { 'grpc-timeout': `${timeoutMs}m` });
      expect({ name, code: Code[answer.code] }).toEqual({ name, code: 'DEADLINE_EXCEEDED' });
      ended.push(`${name} ${timeoutMs}`);
    };
    const methods = everyMethod().filter(({ name }) => !withoutDatabase.has(name));
    await Promise.all([
      end('JobService/GetJob', '/pandafuzz.v1.JobService/GetJob', 3000),
      ...methods.map(({ name, path }) => end(name, path, 1000)),
      end('JobService/GetJob', '/pandafuzz.v1.JobService/GetJob', 200),
    ]);
    expect(ended.slice(1, -1).sort()).toEqual(methods.map(({ name }) => `${name} 1000`).sort());
    expect([ended[0], ended.at(-1)]).toEqual(['JobService/GetJob 200', 'JobService/GetJob 3000']);
    await release();
  });
});

const stats = '/pandafuzz.v1.SystemService/GetSystemStats';
const empty = [Buffer.alloc(0)];

/** A line to a port of this machine; what is sent while it is held goes on together. */
async function slowLine(port: number) {
  let held: Buffer[] | undefined;
  let onHeld = () => {};
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = netConnect(port, '127.0.0.1');
    sockets.push(near, far);
    near.on('data', (bytes) => {
      if (held) held.push(bytes);
      else far.write(bytes);
      onHeld();
    });
    far.on('data', (bytes) => near.write(bytes));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port: (server.address() as AddressInfo).port,
    hold: () => {
      held = [];
    },
    /** Resolves when so many HTTP/2 frames of a type are held. */
    holds: (count: number, type: number) =>
      new Promise<void>((resolve) => {
        onHeld = () => {
          if (framesIn(Buffer.concat(held ?? []), type) >= count) resolve();
        };
        onHeld();
      }),
    release: () => {
      sockets[1]?.write(Buffer.concat(held ?? []));
      held = undefined;
    },
  };
}

/** Types of HTTP/2's frames (RFC 9113, section 6). */
const [dataFrame, resetFrame] = [0, 3];

function framesIn(bytes: Buffer, type: number): number {
  let count = 0;
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    if (bytes[at + 3] === type) count++;
  }
  return count;
}

describe('a deadline', () => {
  test('that has passed on arrival runs nothing', async () => {
    const { address } = await runMasterFor();
    const answer = await new RawClient(address).call(stats, empty, { 'grpc-timeout': '1n' });
    expect(Code[answer.code]).toBe('DEADLINE_EXCEEDED');
  });

  test('of the master’s own holds where the caller gives none, or a later one', async () => {
    const directory = temporaryFolder();
    const settings = { PANDAFUZZ_TIMEOUTS_METHODS: '{SystemService/GetSystemStats: "150ms"}' };
    const { address } = await runMasterFor(settings, directory);
    const client = new RawClient(address);
    await client.call(stats, empty);
    const { release } = await blockDatabase(directory);
    for (const headers of [{}, { 'grpc-timeout': '60S' }] as Record<string, string>[]) {
      const answer = await client.call(stats, empty, headers);
      expect(Code[answer.code]).toBe('DEADLINE_EXCEEDED');
      const [info] = answer.details.details;
      expect(ErrorInfo.decode(info?.value as Buffer)).toMatchObject({
        reason: 'TIMEOUT',
        metadata: { operation: stats, duration_ms: '150' },
      });
    }
    await release();
  });

  test('that passes for thousands together ends their calls, and no other of their connection', async () => {
    const { connection } = await runMasterFor();
    const session = http2Connect(`http://${connection.address}`);
    const headers = { ':method': 'POST', ':path': stats, 'content-type': 'application/grpc' };
    const closed = Promise.withResolvers<void>();
    let left = 3000;
    for (let i = left; i > 0; i--) {
      const stream = session.request(headers);
      stream.on('error', () => {});
      stream.on('close', () => {
        if (--left === 0) closed.resolve();
      });
      stream.close(constants.NGHTTP2_CANCEL);
    }
    await closed.promise;
    await expect(promisify(session.ping.bind(session))()).resolves.toBeDefined();
    expect(session.closed).toBe(false);
    session.destroy();
  });

  test('that has passed with the call still on its way costs no work', async () => {
    const { connection, master } = await runMasterFor();
    const line = await slowLine(master.grpc.port);
    const session = http2Connect(`http://127.0.0.1:${line.port}`);
    await once(session, 'connect');
    await promisify(session.ping.bind(session))();
    line.hold();
    const path = '/pandafuzz.v1.BotService/GetBot';
    const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc' };
    const prefix = Buffer.from([0, 0, 0, 0, 38, 10, 36]); // uncompressed, 38 bytes: field 1 of 36
    const calls = Array.from({ length: 50 }, () => {
      const stream = session.request(headers);
      stream.on('error', () => {});
      return stream.end(Buffer.concat([prefix, Buffer.from(newId())]));
    });
    await line.holds(50, dataFrame);
    for (const call of calls) call.close(constants.NGHTTP2_CANCEL); // its caller gives up
    await line.holds(50, resetFrame);
    line.release();
    const counted = (name: string) => metric(master, name).catch(() => 0); // not there: never
    const ended = `api_request_duration_seconds_count{endpoint="${path}",code="CANCELLED"}`;
    await eventually(async () => (await counted(ended)) >= 50 || undefined);
    const asked = (outcome: string) =>
      counted(
        `database_operation_duration_seconds_count{operation="get_bot",outcome="${outcome}"}`,
      );
    expect([await asked('ok'), await asked('error')]).toEqual([0, 0]);
    expect(await unary(connection.system, connection.system.getSystemStats, {})).toBeDefined();
    session.destroy();
  });

  test('of a method that there is not is refused when the master starts', async () => {
    const settings = { PANDAFUZZ_TIMEOUTS_METHODS: '{JobService/ListJbs: "1s"}' };
    await expect(runMasterFor(settings)).rejects.toThrow(
      /^timeouts\.methods\.JobService\/ListJbs: there is no such method/,
    );
  });
});
