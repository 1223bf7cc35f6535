import { Command } from 'commander';
import { jobChangeCommands } from './job-change.js';
import { jobExplainCommand } from './job-explain.js';
import { jobGetCommand } from './job-get.js';
import { jobListCommand } from './job-list.js';
import { jobLogCommand } from './job-log.js';
import { jobSubmitCommand } from './job-submit.js';
import { jobWatchCommand } from './job-watch.js';

export function jobCommand(): Command {
  const command = new Command('job')
    .summary('submit, list, show, watch and cancel jobs')
    .description('Submit, list, show, watch and cancel jobs.')
    .addCommand(jobSubmitCommand())
    .addCommand(jobListCommand())
    .addCommand(jobGetCommand())
    .addCommand(jobExplainCommand())
    .addCommand(jobLogCommand())
    .addCommand(jobWatchCommand());
  for (const change of jobChangeCommands()) command.addCommand(change);
  return command;
}
