import { unary } from '../client/call.js';
import { Bot } from '../gen/pandafuzz/v1/bot.js';
import { GetSystemStatsResponse } from '../gen/pandafuzz/v1/system_service.js';
import { listBots } from './lists.js';
import { print } from './output.js';
import { asking, type Flags } from './session.js';
import { botTable, statsView } from './views.js';

/** What `pandafuzz bot list` and `pandafuzz stats` do. */

export function showBots(flags: Flags & { limit: number }): Promise<void> {
  return asking(flags, async (connection, options) => {
    const bots = await listBots(connection, flags, options);
    print(flags.json, {
      json: () => ({ bots: bots.map(Bot.toJSON) }),
      text: () => botTable(bots, Date.now()),
    });
  });
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
