import { unary } from '../client/call.js';
import type { Connection } from '../client/connect.js';
import { UserError } from '../core/errors.js';
import { isId } from '../core/ids.js';
import { Bot, BotState } from '../gen/pandafuzz/v1/bot.js';
import { GetSystemStatsResponse } from '../gen/pandafuzz/v1/system_service.js';
import { botView } from './bot-view.js';
import { eachOf } from './each.js';
import { findId } from './ids.js';
import { type ListFlags, showListing } from './listing.js';
import { botPages, listBots } from './lists.js';
import { print } from './output.js';
import { asking, type Flags } from './session.js';
import { botSorts } from './sorts.js';
import type { CallOptions } from './submit.js';
import { botRemarks, botTable, statsView } from './views.js';
import { untilDrained } from './wait-drained.js';
import { word } from './words.js';

/** `pandafuzz bot …` and `pandafuzz stats`. */

export interface BotFilter {
  /** A BotState in lower case; "unwell" and "held": those that get no jobs. */
  readonly state?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly engine?: string;
}

export function showBots(flags: Flags & ListFlags & BotFilter): Promise<void> {
  const { state, label, engine } = flags;
  const isFiltered = state !== undefined || label !== undefined || engine !== undefined;
  return asking(flags, (connection, options) =>
    showListing(flags, {
      items: 'bots',
      first: 'newest',
      read: botPages(connection, options),
      ...(isFiltered && { passes: (bot: Bot) => passes(bot, { state, label, engine }) }),
      sorts: botSorts,
      toJson: Bot.toJSON,
      text: (bots, width) =>
        bots.length === 0 && isFiltered
          ? 'no bots that match'
          : [botTable(bots, Date.now(), width), ...botRemarks(bots, Date.now())].join('\n'),
    }),
  );
}

function passes(bot: Bot, { state, label = {}, engine }: Partial<BotFilter>): boolean {
  return (
    (state === undefined || stateWords(bot).includes(state)) &&
    Object.entries(label).every(([key, value]) => bot.labels[key] === value) &&
    (engine === undefined || bot.engines.includes(engine))
  );
}

const stateWords = (bot: Bot): string[] => [
  word(BotState[bot.state]),
  ...(bot.health?.problem ? ['unwell'] : []),
  ...(bot.heldUntil ? ['held'] : []),
];

export function showBot(flags: Flags, idOrName: string): Promise<void> {
  return asking(flags, async (connection, options) => {
    const { bots } = connection;
    const botId = await findBot(connection, idOrName, options);
    const { bot } = await unary(bots, bots.getBot, { botId }, options);
    if (!bot) throw new UserError('the master sent no bot');
    print(flags, {
      json: () => Bot.toJSON(bot),
      text: () => botView(bot, Date.now()),
    });
  });
}

export type BotChange = 'drain' | 'resume' | 'delete';

/**
 * Applies one change to each, even after one has failed.
 *
 * @param flags with `wait`: a drained bot is waited for until it has finished its jobs
 * @returns the exit code: 1 if the master refused one
 */
export function changeBots(
  flags: Flags & { readonly wait?: boolean },
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
    const isWaiting = change === 'drain' && flags.wait;
    if (isWaiting) bots.splice(0, bots.length, ...(await untilDrained(connection, bots, options)));
    if (change !== 'delete') {
      print(flags, {
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
    print(flags, {
      json: () => GetSystemStatsResponse.toJSON(stats),
      text: () => statsView(stats, Date.now()),
    });
  });
}
