import { Command } from 'commander';
import { showJob } from '../operator/jobs.js';
import { type OperatorFlags, withOperatorFlags } from './flags.js';

export function jobGetCommand(): Command {
  const command = new Command('get')
    .summary('show one job')
    .description('Shows one job.')
    .argument('<job>', 'id of the job')
    .action((id: string, flags: OperatorFlags) => showJob(flags, id));
  return withOperatorFlags(command);
}
