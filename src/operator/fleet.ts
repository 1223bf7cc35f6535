import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { UserError } from '../core/errors.js';
import { isId } from '../core/ids.js';
import { Bot } from '../gen/pandafuzz/v1/bot.js';
import { GetSystemStatsResponse } from '../gen/pandafuzz/v1/system_service.js';
import { eachOf } from './each.js';
import { findId } from './ids.js';
import { listBots } from './lists.js';
import { print } from './output.js';
import { asking, type Flags } from './session.js';
import type { CallOptions } from './submit.js';
import { botDetails, botTable, statsView } from './views.js';

/** `pandafuzz bot …` and `pandafuzz stats`. */

export function showBots(flags: Flags & { limit: number }): Promise<void> {
  return asking(flags, async (connection, options) => {
    const bots = await listBots(connection, flags, options);
    print(flags.json, {
      json: () => ({ bots: bots.map(Bot.toJSON) }),
      text: () => botTable(bots, Date.now()),
    });
  });
}

export function showBot(flags: Flags, idOrName: string): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { bots } = connection;
    const botId = await findBot(connection, idOrName, options);
    const { bot } = await unary(bots, bots.getBot, { botId }, options);
    if (!bot) throw new UserError('the master sent no bot');
    print(flags.json, {
      json: () => Bot.toJSON(bot),
      text: () => botDetails(bot, Date.now()),
    });
  });
}

export type BotChange = 'drain' | 'resume' | 'delete';

/**
 * Applies one change to each, even after one has failed.
 *
 * @returns the exit code: 1 if the master refused one
 */
export function changeBots(
  flags: Flags,
  change: BotChange,
  idsOrNames: readonly string[],
): Promise<number> {
  return asking(flags, async (connection, options) => {
    const { bots: service } = connection;
    const bots: Bot[] = [];
    const refused = await eachOf(idsOrNames, connection.address, async (idOrName) => {
      const request = { botId: await findBot(connection, idOrName, options) };
      if (change === 'delete') {
        await unary(service, service.deleteBot, request, options);
        return;
      }
      const method = change === 'drain' ? service.drainBot : service.resumeBot;
      const { bot } = await unary(service, method, request, options);
      if (bot) bots.push(bot);
    });
    if (change !== 'delete') {
      print(flags.json, {
        json: () => ({ bots: bots.map(Bot.toJSON) }),
        text: () => botTable(bots, Date.now()),
      });
    }
    return refused > 0 ? 1 : 0;
  });
}

/** Finds a bot by its name, its id or a prefix of that. Names go first: some look like ids. */
export async function findBot(
  connection: Connection,
  idOrName: string,
  options: CallOptions,
): Promise<string> {
  if (isId(idOrName)) return idOrName;
  const everyBot = await listBots(connection, { limit: Number.MAX_SAFE_INTEGER }, options);
  const bot = everyBot.find(({ name }) => name === idOrName);
  if (bot) return bot.id;
  if (/^[0-9a-f-]+$/i.test(idOrName)) return findId(connection, idOrName, 'bot', options);
  throw new UserError(`there is no bot ${idOrName}: "pandafuzz bot list" shows them`);
}

export function showStats(flags: Flags): Promise<void> {
  return asking(flags, async ({ system }, options) => {
    const stats = await unary(system, system.getSystemStats, {}, options);
    print(flags.json, {
      json: () => GetSystemStatsResponse.toJSON(stats),
      text: () => statsView(stats, Date.now()),
    });
  });
}
