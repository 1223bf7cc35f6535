import { Command, Option } from 'commander';
import type { WatchFlags } from '../operator/watching/fleet.js';
import { durationOption, projectOption, withOperatorFlags } from './flags.js';

const examples = `
It begins with what is: targets and how they do, the newest groups of crashes, and what is
wrong. Then a line for each change of a job with its reason, for finds, crashes, and for what
goes wrong or is over. It waits for a master that is away. docs/terminal.md has all kinds.

Exit codes: 0 the time of --for is over, 10 a crash with --until-crash, 69 no master answers
at first, 130 interrupted.

Examples:
  $ pandafuzz watch
  $ pandafuzz watch --project images --until-crash
  $ pandafuzz watch --json --for 1h | jq -r 'select(.kind == "find").text'`;

/** `-o`, and the options of every operator's command. */
export function withWatchFlags(command: Command): Command {
  const output = new Option('-o, --output <format>', 'lines for people, or of JSON, as --json');
  return withOperatorFlags(command.addOption(output.choices(['text', 'jsonl']).conflicts('json')));
}

export function watchCommand(): Command {
  const command = new Command('watch')
    .summary('follow what happens: jobs, finds, crashes, and what goes wrong')
    .description('Prints what is, and then what happens, until Ctrl-C.')
    .addOption(projectOption('only jobs, targets and crashes of this project'))
    .addOption(durationOption('--for', 'end after this time', '1s', '20d'))
    .option('--until-crash', 'end with 10 at the first crash that is met')
    .addHelpText('after', examples)
    .action(async (flags: WatchFlags) => {
      const { watchFleet } = await import('../operator/watching/fleet.js');
      process.exitCode = await watchFleet(flags);
    });
  return withWatchFlags(command);
}
