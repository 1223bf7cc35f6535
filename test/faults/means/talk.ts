import type { Connection } from '../../../src/client/connect.js';
import { ScriptedBot } from '../../scripted-bot.js';
import { registerBot } from '../../steps.js';

/** Streams of one bot: of one bot's doing the log has 50 lines at once, and then one a second. */
const streamsEach = 40;
const mostBots = 400;

/** Has the master write lines, as many as it takes: bots come and go until `isEnough`. */
export async function talk(connection: Connection, isEnough: () => Promise<boolean>) {
  for (let number = 0; number < mostBots && !(await isEnough()); number++) {
    const { id } = await registerBot(connection, `talkative-${number}-${'x'.repeat(100)}`);
    for (let stream = 0; stream < streamsEach; stream++) {
      const bot = new ScriptedBot(connection, id);
      await bot.hello(0);
      bot.leave();
    }
  }
}
