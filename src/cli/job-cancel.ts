import { Command } from 'commander';
import { cancelJobs } from '../operator/commands.js';
import { type OperatorFlags, withOperatorFlags } from './flags.js';

export function jobCancelCommand(): Command {
  const command = new Command('cancel')
    .description('Stops jobs: waiting ones at once, running ones as soon as their bot has.')
    .argument('<jobs...>', 'ids of the jobs')
    .action((ids: string[], flags: OperatorFlags) => cancelJobs(flags, ids));
  return withOperatorFlags(command);
}
