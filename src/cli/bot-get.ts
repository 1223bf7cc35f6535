import { Command } from 'commander';
import { showBot } from '../operator/fleet.js';
import { type OperatorFlags, withOperatorFlags } from './flags.js';

export function botGetCommand(): Command {
  const command = new Command('get')
    .summary('show one bot')
    .description('Shows one bot: what it offers, and its engines with their versions.')
    .argument('<bot>', "the bot's id or name")
    .action((bot: string, _: unknown, self: Command) =>
      showBot(self.optsWithGlobals<OperatorFlags>(), bot),
    );
  return withOperatorFlags(command);
}
