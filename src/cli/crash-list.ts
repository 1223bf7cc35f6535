import { Command } from 'commander';
import { showCrashes } from '../operator/crashes.js';
import { limitOption, type OperatorFlags, withOperatorFlags } from './flags.js';

const examples = `
Examples:
  $ pandafuzz crash list
  $ pandafuzz crash list --group 0198c0de-0000-7000-8000-000000000000
  $ pandafuzz crash list --json | jq -r '.groups[].topFrame'`;

export function crashListCommand(): Command {
  const command = new Command('list')
    .alias('ls')
    .summary('list crash groups, or single crashes')
    .description('Lists crash groups, newest first; with --group or --job, single crashes.')
    .option('--group <id>', 'the crashes of this group')
    .option('--job <id>', 'the crashes of this job')
    .addOption(limitOption())
    .addHelpText('after', examples)
    .action((flags: OperatorFlags & { limit: number; group?: string; job?: string }) =>
      showCrashes(flags),
    );
  return withOperatorFlags(command);
}
