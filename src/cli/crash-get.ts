import { Command } from 'commander';
import { showCrash } from '../operator/crashes/show.js';
import type { OperatorFlags } from './flags.js';
import { withShowFlags } from './list-options.js';

const examples = `
Of a group, the crash shown is its reproducer: the smallest that reproduces. An
id may be shortened to what begins no other; a group goes before a crash.

Examples:
  $ pandafuzz crash get 0198c0de
  $ pandafuzz crash get 0198c0de --json | jq -r .crash.report`;

export function crashGetCommand(): Command {
  const command = new Command('get')
    .summary('show a group, or one crash, with stack and report')
    .description(
      'Shows a group or one crash: what it is, its stack, how to reproduce it, its report.',
    )
    .argument('<crash-or-group>', 'id of a crash or of a group')
    .addHelpText('after', examples)
    .action((id: string, flags: OperatorFlags) => showCrash(flags, id));
  return withShowFlags(command);
}
