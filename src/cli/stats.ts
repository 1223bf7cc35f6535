import { Command } from 'commander';
import { showStats } from '../operator/fleet.js';
import type { OperatorFlags } from './flags.js';
import { withShowFlags } from './list-options.js';

export function statsCommand(): Command {
  const command = new Command('stats')
    .summary('show the fleet and the master at a glance')
    .description('Shows the fleet and the master at a glance.')
    .action((flags: OperatorFlags) => showStats(flags));
  return withShowFlags(command);
}
