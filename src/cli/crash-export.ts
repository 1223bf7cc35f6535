import { Command } from 'commander';
import { exportCrashes } from '../operator/crashes/export.js';
import type { GroupFlags } from '../operator/crashes/filter.js';
import { type OperatorFlags, withOperatorFlags } from './flags.js';
import { aboutNew, withGroupOptions } from './group-options.js';

const examples = `
The archive has a folder for each group: reproducer, report.txt, crash.json
(everything that is known) and README.md (how to reproduce it). manifest.json,
at its top, has of each the command line, the environment and the target's
SHA-256.
${aboutNew}

Examples:
  $ pandafuzz crash export -o crashes.tar.gz --status confirmed
  $ pandafuzz crash export -o one.tar.gz 0198c0de
  $ tar -xOzf crashes.tar.gz manifest.json | jq '.crashes[].reproduce.shell'`;

type Flags = OperatorFlags & GroupFlags & { output: string; force?: boolean };

export function crashExportCommand(): Command {
  const command = new Command('export')
    .summary('pack reproducers with all that is needed to use them')
    .description('Packs reproducers into a .tar.gz, each with its report and how to reproduce it.')
    .argument('[crashes-or-groups...]', 'ids; none: all groups that the options let through')
    .option('-o, --output <file>', 'where to write it', 'crashes.tar.gz')
    .option('-f, --force', 'replace the file if it is there');
  withGroupOptions(command)
    .addHelpText('after', examples)
    .action((ids: string[], flags: Flags) => exportCrashes(flags, ids));
  return withOperatorFlags(command);
}
