import type { Command } from 'commander';
import { botCommand } from './bot.js';
import { botChangeCommands } from './bot-change.js';
import { botExplainCommand } from './bot-explain.js';
import { botGetCommand } from './bot-get.js';
import { botListCommand } from './bot-list.js';
import { botLogCommand } from './bot-log.js';

export function botWithItsCommands(): Command {
  const bot = botCommand()
    .addCommand(botListCommand())
    .addCommand(botGetCommand())
    .addCommand(botExplainCommand())
    .addCommand(botLogCommand());
  for (const change of botChangeCommands()) bot.addCommand(change);
  return bot;
}
