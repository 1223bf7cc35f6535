import { Command, Option } from 'commander';
import { showJobs } from '../operator/commands.js';
import { limitOption, type OperatorFlags, withOperatorFlags } from './flags.js';

const states = ['pending', 'assigned', 'running', 'completed', 'cancelled', 'dead'];

export function jobListCommand(): Command {
  const command = new Command('list')
    .alias('ls')
    .description('Lists jobs, newest first.')
    .addOption(new Option('--state <state>', 'only jobs in this state').choices(states))
    .addOption(limitOption())
    .action((flags: OperatorFlags & { state?: string; limit: number }) => showJobs(flags));
  return withOperatorFlags(command);
}
