import { Command, Option } from 'commander';
import type { GroupFlags } from '../operator/crashes/filter.js';
import { showCrashes } from '../operator/crashes/show.js';
import { groupSorts } from '../operator/sorts.js';
import { aboutNew, groupOptionNames, withGroupOptions } from './group-options.js';
import { aboutLists, type ListCommandFlags, withListFlags } from './list-options.js';

const examples = `${aboutNew}

"hits" counts how often a bug was met, "kept" its inputs that are kept; "first"
and "last" are how long ago it was met. Of groups that look alike, "where" has
the line, the frame below, or the message that tells them apart.
${aboutLists}

Examples:
  $ pandafuzz crash list
  $ pandafuzz crash list --new --since 2d --target png_fuzzer
  $ pandafuzz crash list --status confirmed --text parse_header
  $ pandafuzz crash list --sort hits
  $ pandafuzz crash list --group 0198c0de
  $ pandafuzz crash list --json | jq -r '.groups[].topFrame'`;

type Flags = ListCommandFlags & GroupFlags & { group?: string; job?: string };

export function crashListCommand(): Command {
  const command = new Command('list')
    .alias('ls')
    .summary('list groups of crashes, or single crashes')
    .description('Lists groups of crashes, newest first; with --group or --job, single crashes.');
  withGroupOptions(command)
    .addOption(
      new Option('--group <id>', 'the crashes of this group').conflicts([
        'job',
        ...groupOptionNames,
      ]),
    )
    .addOption(new Option('--job <id>', 'the crashes of this job').conflicts(groupOptionNames))
    .addHelpText('after', examples)
    .action((flags: Flags) => showCrashes(flags));
  return withListFlags(command, groupSorts);
}
