import { Command } from 'commander';
import { showBot } from '../operator/fleet.js';
import type { OperatorFlags } from './flags.js';
import { withShowFlags } from './list-options.js';

export function botGetCommand(): Command {
  const command = new Command('get')
    .alias('show')
    .summary('show a bot')
    .description('Shows a bot: what it offers, how it isolates runs, and what is missing for more.')
    .argument('<bot>', 'id, the beginning of one, or name')
    .action((bot: string, _: unknown, self: Command) =>
      showBot(self.optsWithGlobals<OperatorFlags>(), bot),
    );
  return withShowFlags(command);
}
