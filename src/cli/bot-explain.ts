import { Command } from 'commander';
import { explainBot } from '../operator/explain.js';
import type { OperatorFlags } from './flags.js';
import { withShowFlags } from './list-options.js';

export function botExplainCommand(): Command {
  const command = new Command('explain')
    .alias('why')
    .summary('explain why a bot has no work')
    .description('Explains why a bot is not working at its full capacity.')
    .argument('<bot>', "the bot's id or name")
    .action((bot: string, _: unknown, self: Command) =>
      explainBot(self.optsWithGlobals<OperatorFlags>(), bot),
    );
  return withShowFlags(command);
}
