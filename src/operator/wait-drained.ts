import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { isAway } from '../client/failure.js';
import { sleep, systemClock } from '../core/clock.js';
import { UserError } from '../core/errors.js';
import type { Bot } from '../gen/pandafuzz/v1/bot.js';
import { complain } from './output.js';
import type { CallOptions } from './submit.js';

const lookEveryMs = 1000;

/**
 * Waits until all of these bots have finished their jobs, and prints to standard error how
 * many they still have whenever that changes. Waits for an absent master too.
 *
 * @throws UserError when a bot is resumed meanwhile
 */
export async function untilDrained(
  { bots: service, address }: Connection,
  bots: readonly Bot[],
  options: Required<CallOptions>,
): Promise<Bot[]> {
  const drained: Bot[] = [];
  for (const { id } of bots) {
    for (let told = ''; ; ) {
      const bot = await look(id);
      if (bot?.drainedAt) {
        drained.push(bot);
        break;
      }
      if (bot && !bot.drainRequestedAt) {
        throw new UserError(`${bot.name} was resumed by somebody else: it is not drained`);
      }
      const jobs = bot?.runningJobs === 1 ? '1 job' : `${bot?.runningJobs} jobs`;
      const now = bot ? `${bot.name} has ${jobs} to finish` : `no master answers at ${address}`;
      if (now !== told) complain(`${now}; waiting`);
      told = now;
      await sleep(systemClock, lookEveryMs, options.signal);
    }
  }
  return drained;

  /** @returns undefined while no master answers */
  async function look(botId: string): Promise<Bot | undefined> {
    try {
      return (await unary(service, service.getBot, { botId }, options)).bot;
    } catch (error) {
      if (isAway(error)) return undefined;
      throw error;
    }
  }
}
