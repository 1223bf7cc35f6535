import { Command } from 'commander';
import { showBots } from '../operator/fleet.js';
import { limitOption, type OperatorFlags, withOperatorFlags } from './flags.js';

export function botListCommand(): Command {
  const command = new Command('list')
    .alias('ls')
    .summary('list bots')
    .description('Lists bots, newest first.')
    .addOption(limitOption())
    .action((_: unknown, self: Command) =>
      showBots(self.optsWithGlobals<OperatorFlags & { limit: number }>()),
    );
  return withOperatorFlags(command);
}
