import { Command } from 'commander';
import { cancelJobs } from '../operator/jobs.js';
import { type OperatorFlags, withOperatorFlags } from './flags.js';

export function jobCancelCommand(): Command {
  const command = new Command('cancel')
    .summary('stop jobs')
    .description('Stops jobs: waiting ones at once, running ones as soon as their bot has.')
    .argument('<jobs...>', 'ids of the jobs')
    .action(async (ids: string[], flags: OperatorFlags) => {
      process.exitCode = await cancelJobs(flags, ids);
    });
  return withOperatorFlags(command);
}
