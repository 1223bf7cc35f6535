import { Writable } from 'node:stream';
import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { type Choice, choosePath } from '../../../src/rpc/beneath/choose.js';
import { fastPath } from '../../../src/rpc/beneath/fast-path.js';
import {
  type InnerCall,
  innerOf,
  missingShapes,
  shapeOfInnerCall,
} from '../../../src/rpc/beneath/shapes.js';
import { trialCall } from '../../../src/rpc/beneath/trial-call.js';
import { plainPath } from '../../../src/rpc/call-path.js';
import { atEnd, runMasterFor } from '../../harness.js';
import { registerBot } from '../../steps.js';

const passThrough: ServerInterceptor = (_, call) => new ServerInterceptingCall(call);

/** Lines of the log, and the path chosen. */
async function choice(choose: Partial<Choice>) {
  const lines: object[] = [];
  const log = pino(
    { base: null, timestamp: false },
    new Writable({
      write(line, _, done) {
        lines.push(JSON.parse(String(line)));
        done();
      },
    }),
  );
  const path = await choosePath({ setting: 'auto', interceptors: [], log, ...choose });
  return { path, lines };
}

const off = (why: object) => [{ level: 30, msg: 'grpc fast path off', ...why }];

describe('the path of calls', () => {
  test('is the fast one on the Node and grpc-js at hand, without a word', async () => {
    expect(await trialCall(missingShapes)).toEqual([]);
    const { path, lines } = await choice({});
    expect([path === fastPath, lines]).toEqual([true, []]);
  });

  test('is the plain one where the setting is off', async () => {
    const { path, lines } = await choice({ setting: 'off' });
    expect([path === plainPath, lines]).toEqual([true, off({ reason: 'setting' })]);
  });

  test('is the plain one with an interceptor', async () => {
    const { path, lines } = await choice({ interceptors: [passThrough] });
    expect([path === plainPath, lines]).toEqual([true, off({ reason: 'interceptor' })]);
  });

  test('is the plain one where grpc-js has another shape', async () => {
    const prototype = await trialCall((call) => Object.getPrototypeOf(innerOf(call)) as InnerCall);
    const { serializeMessage } = prototype;
    const renewed = function (this: InnerCall, message: unknown, _options: unknown) {
      return serializeMessage.call(this, message);
    };
    atEnd(() => Object.assign(prototype, { serializeMessage }));
    Object.assign(prototype, { serializeMessage: renewed });
    const { path, lines } = await choice({});
    const missing = ['call.serializeMessage'];
    expect([path === plainPath, lines]).toEqual([true, off({ reason: 'shape', missing })]);
    const { connection } = await runMasterFor({ PANDAFUZZ_GRPC_FAST_PATH: 'auto' });
    expect((await registerBot(connection)).name).toBe('bot');
  });
});

describe('of a call, the check of shapes misses', () => {
  /** Of a real call with these private fields in the place of its own. */
  const missedWith = (changes: object) =>
    trialCall((call) => {
      const changed: object = Object.assign(Object.create(innerOf(call)), changes);
      return missingShapes({ call: changed });
    });

  test.each(Object.keys(shapeOfInnerCall))('%s, when it is gone', async (field) => {
    expect(await missedWith({ [field]: undefined })).toContain(`call.${field}`);
  });

  test('a field of another type, and a function with other parameters', async () => {
    const sendMessage = (_: unknown) => {};
    const missed = await missedWith({ receivedHalfClose: 'no', sendMessage, decoder: null });
    expect(missed).toEqual(['call.receivedHalfClose', 'call.decoder', 'call.sendMessage']);
  });

  test('the whole of it', () => {
    expect(missingShapes({})).toEqual(['call']);
  });

  test('the streams of its connection, when Node keeps them otherwise', async () => {
    const session = { [Symbol('state')]: { streams: [] } };
    const missed = await missedWith({ stream: { id: 1, session } });
    expect(missed).toEqual(['session.state.streams']);
  });
});
