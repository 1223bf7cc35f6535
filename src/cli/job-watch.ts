import { Command } from 'commander';
import type { JobWatchFlags } from '../operator/watching/jobs.js';
import { watchJobs } from '../operator/watching/jobs.js';
import { wholeOption } from './flags.js';
import { withWatchFlags } from './watch.js';

const examples = `
It begins with the jobs that run and wait, or with the one that is named, why it waits or
how it ended; of one job, crashes and finds are lines too. It waits for a master that is away, and goes on without a gap. Each line
of --json about a change has a cursor: --after with the last one continues there.

Exit codes: of one job, 0 when it has completed and 1 when it ended otherwise;
69 if no master answers at first, 130 interrupted.

Examples:
  $ pandafuzz job watch
  $ pandafuzz job watch 0198c0de
  $ pandafuzz job watch --json --after 1234 | jq .kind`;

export function jobWatchCommand(): Command {
  const command = new Command('watch')
    .summary('follow the changes of jobs')
    .description(
      'Prints jobs as they are, and a line for each change as it is committed: until Ctrl-C, or\n' +
        'the end of the one job.',
    )
    .argument('[job]', 'only this one, by its id')
    .addOption(wholeOption('--after', 'begin after this change', 1, Number.MAX_SAFE_INTEGER))
    .addHelpText('after', examples)
    .action(async (id: string | undefined, flags: JobWatchFlags & { after?: number }) => {
      process.exitCode = await watchJobs(flags, { job: id, cursor: flags.after ?? 0 });
    });
  return withWatchFlags(command);
}
