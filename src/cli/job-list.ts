import { Command, Option } from 'commander';
import { type JobListFlags, showJobs } from '../operator/job-list.js';
import { jobSorts } from '../operator/sorts.js';
import { projectOption } from './flags.js';
import { aboutLists, sinceOption, withListFlags } from './list-options.js';

const states = ['pending', 'assigned', 'running', 'completed', 'cancelled', 'dead', 'paused'];

const examples = `${aboutLists}

Examples:
  $ pandafuzz job list --state running
  $ pandafuzz job list --campaign png --since 2d --sort hits
  $ pandafuzz job list --json | jq -r '.jobs[].id'`;

export function jobListCommand(): Command {
  const command = new Command('list')
    .alias('ls')
    .summary('list jobs')
    .description('Lists jobs, newest first.')
    .addOption(projectOption('only jobs of this project'))
    .option('--target <name>', 'only jobs of this target')
    .option('--campaign <name>', 'only jobs of this campaign: name, id, or key of "job submit"')
    .addOption(new Option('--state <state>', 'only jobs in this state').choices(states))
    .addOption(sinceOption('only jobs that were made since'))
    .addHelpText('after', examples)
    .action((flags: JobListFlags) => showJobs(flags));
  return withListFlags(command, jobSorts);
}
