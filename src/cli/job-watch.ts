import { Command } from 'commander';
import { watchJobs } from '../operator/watch.js';
import { type OperatorFlags, wholeOption, withOperatorFlags } from './flags.js';

const examples = `
Each line of --json has a cursor: give the last one you saw with --after, and
nothing that happened meanwhile is missed.

Examples:
  $ pandafuzz job watch
  $ pandafuzz job watch 0198c0de
  $ pandafuzz job watch --json --after 1234 | jq .kind`;

export function jobWatchCommand(): Command {
  const command = new Command('watch')
    .summary('follow what happens to jobs')
    .description('Shows the changes of jobs as they are committed, a line each, until Ctrl-C.')
    .argument('[job]', 'only this one, by its id')
    .addOption(wholeOption('--after', 'begin after this change', 1, Number.MAX_SAFE_INTEGER))
    .addHelpText('after', examples)
    .action((id: string | undefined, flags: OperatorFlags & { after?: number }) =>
      watchJobs(flags, { job: id, cursor: flags.after ?? 0 }),
    );
  return withOperatorFlags(command);
}
