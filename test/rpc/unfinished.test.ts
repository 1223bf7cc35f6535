import { status as Code } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { unary } from '../../src/client/call.js';
import { runMasterFor } from '../harness.js';
import { registerBot } from '../steps.js';
import { framed, RawClient } from '../wire/raw-client.js';

const getJob = '/pandafuzz.v1.JobService/GetJob';

describe('a call whose request never ends', () => {
  test.each([
    ['nothing but headers', getJob, 0],
    ['half a message', getJob, 20],
    ['a whole message', getJob, 105],
    ['a method that is not there', '/pandafuzz.v1.JobService/None', 20],
    ['reflection', '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', 0],
  ])('is ended after timeouts.request: %s', async (_, path, bytes) => {
    const { address } = await runMasterFor({ PANDAFUZZ_TIMEOUTS_REQUEST: '200ms' });
    const call = new RawClient(address).open(path);
    if (bytes > 0) call.stream.write(framed(Buffer.alloc(100)).subarray(0, bytes));
    const { code } = await call.answer;
    expect([Code.DEADLINE_EXCEEDED, Code.UNIMPLEMENTED]).toContain(code);
  });

  test('is refused beyond the bound of its connection, and others are served', async () => {
    const settings = { PANDAFUZZ_LIMITS_MAX_UNFINISHED_REQUESTS: '400' };
    const { connection, address } = await runMasterFor(settings);
    const raw = new RawClient(address);
    const calls = Array.from({ length: 500 }, () => raw.open(getJob));
    const { code } = await Promise.race(calls.map(({ answer }) => answer));
    expect(code).toBe(Code.RESOURCE_EXHAUSTED);
    const bot = await registerBot(connection);
    const answer = await unary(connection.bots, connection.bots.getBot, { botId: bot.id });
    expect(answer.bot?.id).toBe(bot.id);
  });
});
