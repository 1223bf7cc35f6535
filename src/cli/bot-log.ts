import { Command } from 'commander';
import type { LogFlags } from '../operator/logs.js';
import { withOperatorFlags } from './flags.js';

export function botLogCommand(): Command {
  const command = new Command('log')
    .alias('logs')
    .summary('show the last of what a bot logged')
    .description(
      'Shows the last 64 KiB of the log of a bot that is online, one JSON line an event.',
    )
    .argument('<bot>', "the bot's id or name")
    .option('-f, --follow', 'go on as the bot logs more, until you stop it')
    .action(async (bot: string, _: unknown, self: Command) => {
      const { showBotLog } = await import('../operator/logs.js');
      await showBotLog(self.optsWithGlobals<LogFlags>(), bot);
    });
  return withOperatorFlags(command);
}
