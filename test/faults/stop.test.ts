import { describe, expect, test } from '@jest/globals';
import '../harness.js';
import { Process, place, reach } from '../processes.js';
import { registerBot } from '../steps.js';
import { greeting, openEveryKind, openSocket } from './means/open-connections.js';

describe('SIGTERM ends the master within 5 s', () => {
  test('with every kind of open connection', async () => {
    const { address, environment } = await place();
    const http = environment.PANDAFUZZ_HTTP_ADDRESS;
    const master = new Process(['master'], environment);
    await master.says('master ready');
    const connection = await reach(address);
    const bot = await registerBot(connection);
    await openEveryKind(address, http, bot.id);
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
    await openSocket(address);
    await openSocket(address, greeting);
    master.end('SIGTERM');
    expect(await master.exited).toEqual({ code: 0, signal: null });
  });
});
