import { Command, Option } from 'commander';
import { showJobs } from '../operator/jobs.js';
import { limitOption, type OperatorFlags, withOperatorFlags } from './flags.js';

const states = ['pending', 'assigned', 'running', 'completed', 'cancelled', 'dead', 'paused'];

const examples = `
Examples:
  $ pandafuzz job list --state running
  $ pandafuzz job list --json | jq -r '.jobs[].id'`;

export function jobListCommand(): Command {
  const command = new Command('list')
    .alias('ls')
    .summary('list jobs')
    .description('Lists jobs, newest first.')
    .addOption(new Option('--state <state>', 'only jobs in this state').choices(states))
    .addOption(limitOption())
    .addHelpText('after', examples)
    .action((flags: OperatorFlags & { state?: string; limit: number }) => showJobs(flags));
  return withOperatorFlags(command);
}
