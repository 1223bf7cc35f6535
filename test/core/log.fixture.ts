import { createLog, type LogOptions, lostLogLines } from '../../src/core/log.js';

/**
 * Logs 20,000 lines of `peers` peers, 100 in each turn of the event loop, and says how many of
 * them were lost. It never says so where it waits for who reads the log.
 */
const [, , format = 'json', peers = '1000'] = process.argv;
const log = createLog({ level: 'info', format: format as LogOptions['format'] });
for (let turn = 0; turn < 200; turn++) {
  for (let i = 0; i < 100; i++) {
    const bot = `bot-${(turn * 100 + i) % Number(peers)}`;
    log.info(
      { bot, text: `\u009b2J\u202e\u061c\u200b${'x'.repeat(turn === 0 ? 100_000 : 100)}` },
      'said',
    );
  }
  await new Promise(setImmediate);
}
process.stdout.write(JSON.stringify({ lost: lostLogLines() }));
