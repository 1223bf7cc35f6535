import { Command } from 'commander';
import { explainJob } from '../operator/explain.js';
import { type OperatorFlags, withOperatorFlags } from './flags.js';

export function jobExplainCommand(): Command {
  const command = new Command('explain')
    .alias('why')
    .summary('say why a job is not running')
    .description('Says why a job is not running: what is in the way, and how many go first.')
    .argument('<job>', "the job's id")
    .action((id: string, flags: OperatorFlags) => explainJob(flags, id));
  return withOperatorFlags(command);
}
