import { Command, Option } from 'commander';
import { sorts } from '../operator/top/entries.js';
import { type TopFlags, top } from '../operator/top/top.js';
import { projectOption, withOperatorFlags } from './flags.js';

const examples = `
What is wrong stands first, by its cause; then campaigns and targets without one,
the newest groups of crashes, and how the fleet does. On a terminal it goes on
until q or Ctrl-C; with --once, or elsewhere, it prints once. docs/top.md explains
every word and column.

Keys: j k choose a line, w why it does as it does, what it may still find, and
what to do about what is wrong, s another order, p pause, q quit.

Exit codes: 0 shown, 69 no master answers.

Examples:
  $ pandafuzz top
  $ pandafuzz top -1 --why
  $ pandafuzz top --json | jq '.problems[].sentence'`;

export function topCommand(): Command {
  const command = new Command('top')
    .summary('what is wrong, what makes progress, what was found')
    .description('Shows how fleet and targets do: what is wrong first.')
    .option('-1, --once', 'print it once, and end')
    .addOption(projectOption('only targets and groups of this project'))
    .addOption(
      new Option('--sort <order>', 'order of campaigns and targets')
        .choices(sorts)
        .default('health'),
    )
    .option('--why', 'show reasons and remedies')
    .addHelpText('after', examples)
    .action((flags: TopFlags) => top(flags));
  return withOperatorFlags(command);
}
