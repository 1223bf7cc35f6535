import { constants, connect as http2Connect } from 'node:http2';
import { promisify } from 'node:util';
import { status as Code } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { ErrorInfo } from '../../src/gen/google/rpc/error_details.js';
import { runMasterFor, temporaryFolder } from '../harness.js';
import { withLateness } from '../lateness.js';
import { blockDatabase } from '../wire/block-database.js';
import { everyMethod } from '../wire/contract.js';
import { RawClient } from '../wire/raw-client.js';
import { validRequests } from '../wire/requests.js';

const timeoutMs = 300;
/** How late a status may be. */
const lateMs = 50;

describe('every method', () => {
  test('ends at its deadline while the database can be neither read nor written', async () => {
    const directory = temporaryFolder();
    const { connection, address } = await runMasterFor({}, directory);
    const requests = await validRequests(connection);
    const client = new RawClient(address);
    await client.call('/pandafuzz.v1.SystemService/GetSystemStats', [Buffer.alloc(0)]);
    const { release } = await blockDatabase(directory);
    for (const { name, path } of everyMethod()) {
      const messages = requests[name];
      if (!messages) throw new Error(`test/wire/requests.ts has no request for ${name}`);
      const [answer, machinesMs] = await withLateness(
        client.call(path, messages, { 'grpc-timeout': `${timeoutMs}m` }),
      );
      expect({ name, code: Code[answer.code] }).toEqual({ name, code: 'DEADLINE_EXCEEDED' });
      expect({ name, early: answer.tookMs < timeoutMs - 5 }).toEqual({ name, early: false });
      expect({ name, late: answer.tookMs > timeoutMs + lateMs + machinesMs }).toEqual({
        name,
        late: false,
      });
    }
    await release();
  }, 60_000);
});

const stats = '/pandafuzz.v1.SystemService/GetSystemStats';
const empty = [Buffer.alloc(0)];

describe('a deadline', () => {
  test.each([
    ['700H'],
    ['99999999H'],
    ['100000000S'],
    ['86401S'],
    ['-5S'],
    ['5'],
    ['5 S'],
    ['soon'],
  ])('of "%s" neither ends a call at once nor lets it hang', async (timeout) => {
    const { address } = await runMasterFor();
    const answer = await new RawClient(address).call(stats, empty, { 'grpc-timeout': timeout });
    expect(Code[answer.code]).toBe('OK');
  });

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
      const [answer, machinesMs] = await withLateness(client.call(stats, empty, headers));
      expect(Code[answer.code]).toBe('DEADLINE_EXCEEDED');
      expect(answer.tookMs).toBeGreaterThan(145);
      expect(answer.tookMs).toBeLessThan(150 + lateMs + machinesMs);
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

  test('of a method that there is not is refused when the master starts', async () => {
    const settings = { PANDAFUZZ_TIMEOUTS_METHODS: '{JobService/ListJbs: "1s"}' };
    await expect(runMasterFor(settings)).rejects.toThrow(
      /^timeouts\.methods\.JobService\/ListJbs: there is no such method/,
    );
  });
});
