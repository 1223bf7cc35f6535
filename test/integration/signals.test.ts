import { describe, expect, test } from '@jest/globals';
import { Process, place, reach } from '../processes.js';

async function masterAndBot(environment: Record<string, string> = {}) {
  const where = await place();
  const master = new Process(['master'], { ...where.environment, ...environment });
  await reach(where.address);
  const args = ['bot', '--master', where.address, '--work-dir', `${where.directory}/bot`];
  const bot = new Process(args, environment);
  await bot.says('master connected');
  return [master, bot] as const;
}

describe('a master and a bot', () => {
  test.each(['SIGHUP', 'SIGTERM', 'SIGINT'] as const)('end in peace on %s', async (signal) => {
    for (const process of (await masterAndBot()).toReversed()) {
      process.end(signal);
      // The kernel and the shell both send it at the end of a terminal.
      if (signal === 'SIGHUP') process.end(signal);
      expect(await process.exited).toEqual({ code: 0, signal: null });
      expect(process.said).toMatch(new RegExp(`"signal":"${signal}".*"msg":"\\w+ stopping"`));
    }
  });

  test('go on after SIGHUP where it was ignored at their start', async () => {
    for (const process of (await masterAndBot({ PANDAFUZZ_NOHUP: '1' })).toReversed()) {
      process.end('SIGHUP');
      process.end('SIGTERM');
      expect(await process.exited).toEqual({ code: 0, signal: null });
      expect(process.said).not.toContain('"signal":"SIGHUP"');
    }
  });
});

test('a bot that is stopped while it starts does not stay', async () => {
  const { directory } = await place();
  const args = ['bot', '--master', '127.0.0.1:1', '--work-dir', `${directory}/bot`];
  const bot = new Process(args);
  await bot.says('bot started');
  bot.end('SIGHUP');
  expect(await bot.exited).toEqual({ code: 0, signal: null });
});
