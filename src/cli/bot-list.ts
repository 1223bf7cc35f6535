import { Command, Option } from 'commander';
import { type BotFilter, showBots } from '../operator/fleet.js';
import { botSorts } from '../operator/sorts.js';
import { pair } from './flags.js';
import { aboutLists, type ListCommandFlags, withListFlags } from './list-options.js';

const states = ['online', 'offline', 'draining', 'unwell', 'held'];

const examples = `
An unwell bot reports what keeps it from taking jobs; the master holds one back whose jobs
failed to start.
${aboutLists}

Examples:
  $ pandafuzz bot list --state offline
  $ pandafuzz bot list --label zone=eu --sort seen --reverse`;

export function botListCommand(): Command {
  const command = new Command('list')
    .alias('ls')
    .summary('list bots')
    .description('Lists bots, newest first.')
    .addOption(new Option('--state <state>', 'only bots in this state').choices(states))
    .addOption(
      new Option('--label <key=value>', 'only bots with this label; may be repeated').argParser(
        pair,
      ),
    )
    .option('--engine <name>', 'only bots with this engine')
    .addHelpText('after', examples)
    .action((_: unknown, self: Command) =>
      showBots(self.optsWithGlobals<ListCommandFlags & BotFilter>()),
    );
  return withListFlags(command, botSorts);
}
