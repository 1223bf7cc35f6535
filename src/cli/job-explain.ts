import { Command } from 'commander';
import { explainJob } from '../operator/explain.js';
import type { OperatorFlags } from './flags.js';
import { withShowFlags } from './list-options.js';

export function jobExplainCommand(): Command {
  const command = new Command('explain')
    .alias('why')
    .summary('explain why a job is not running')
    .description('Explains why a job is not running: the obstacles, and the number of jobs ahead.')
    .argument('<job>', "the job's id")
    .action((id: string, flags: OperatorFlags) => explainJob(flags, id));
  return withShowFlags(command);
}
