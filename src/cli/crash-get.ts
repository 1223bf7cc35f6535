import { Command } from 'commander';
import { showCrash } from '../operator/crashes.js';
import { type OperatorFlags, withOperatorFlags } from './flags.js';

export function crashGetCommand(): Command {
  const command = new Command('get')
    .summary('show one crash with its report')
    .description('Shows one crash with its stack and report.')
    .argument('<crash>', 'id of the crash')
    .action((id: string, flags: OperatorFlags) => showCrash(flags, id));
  return withOperatorFlags(command);
}
