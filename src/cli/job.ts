import { Command } from 'commander';
import { jobCancelCommand } from './job-cancel.js';
import { jobGetCommand } from './job-get.js';
import { jobListCommand } from './job-list.js';
import { jobSubmitCommand } from './job-submit.js';

export function jobCommand(): Command {
  return new Command('job')
    .summary('submit, list, look at and cancel jobs')
    .description('Submit, list, look at and cancel jobs.')
    .addCommand(jobSubmitCommand())
    .addCommand(jobListCommand())
    .addCommand(jobGetCommand())
    .addCommand(jobCancelCommand());
}
