import { Command } from 'commander';
import { watchJobs } from '../operator/watch.js';
import { type OperatorFlags, wholeOption, withOperatorFlags } from './flags.js';

const examples = `
Each line of --json has a cursor: --after with the last one continues there,
without a gap.

Examples:
  $ pandafuzz job watch
  $ pandafuzz job watch 0198c0de-0000-7000-8000-000000000000
  $ pandafuzz job watch --json --after 1234 | jq .kind`;

export function jobWatchCommand(): Command {
  const command = new Command('watch')
    .summary('follow the changes of jobs')
    .description('Prints a line for each change of a job as it is committed, until Ctrl-C.')
    .argument('[job]', 'only this one, by its id')
    .addOption(wholeOption('--after', 'begin after this change', 1, Number.MAX_SAFE_INTEGER))
    .addHelpText('after', examples)
    .action((id: string | undefined, flags: OperatorFlags & { after?: number }) =>
      watchJobs(flags, { jobId: id ?? '', cursor: flags.after ?? 0 }),
    );
  return withOperatorFlags(command);
}
