import { Command } from 'commander';
import { showJob } from '../operator/jobs.js';
import type { OperatorFlags } from './flags.js';
import { withShowFlags } from './list-options.js';

export function jobGetCommand(): Command {
  const command = new Command('get')
    .summary('show one job')
    .description('Shows one job.')
    .argument('<job>', 'id of the job')
    .action((id: string, flags: OperatorFlags) => showJob(flags, id));
  return withShowFlags(command);
}
