import { Command } from 'commander';
import { showCrashes } from '../operator/commands.js';
import { limitOption, type OperatorFlags, withOperatorFlags } from './flags.js';

export function crashListCommand(): Command {
  const command = new Command('list')
    .alias('ls')
    .description('Lists crash groups, newest first; with --group or --job, single crashes.')
    .option('--group <id>', 'the crashes of this group')
    .option('--job <id>', 'the crashes of this job')
    .addOption(limitOption())
    .action((flags: OperatorFlags & { limit: number; group?: string; job?: string }) =>
      showCrashes(flags),
    );
  return withOperatorFlags(command);
}
