import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

test('a master whose thread has died ends with 1, whatever waits for the thread', async () => {
  const { address, directory, environment } = await place();
  const order = join(directory, 'thread-fault');
  const master = new Process(['master'], {
    ...environment,
    THREAD_FAULT_FILE: order,
    NODE_OPTIONS: `--import=${fileURLToPath(new URL('means/thread-faults.js', import.meta.url))}`,
    // Else what waits would end by its deadline, and the process with it.
    PANDAFUZZ_TIMEOUTS_DATABASE_OP: '1h',
  });
  await master.says('master ready');
  const connection = await reach(address);
  await registerBot(connection);
  writeFileSync(order, 'end writer');
  const calls = Array.from({ length: 50 }, () => registerBot(connection).catch(() => {}));
  master.end('SIGUSR2');
  expect(await master.exited).toEqual({ code: 1, signal: null });
  await Promise.all(calls);
});
