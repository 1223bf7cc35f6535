import { Command } from 'commander';
import { fetchAll, fetchReproducer } from '../operator/crashes/fetch.js';
import type { GroupFlags } from '../operator/crashes/filter.js';
import { type OperatorFlags, withOperatorFlags } from './flags.js';
import { aboutNew, withGroupOptions } from './group-options.js';

const examples = `
With --all: every input that is kept, of the group named or of all groups that
the options let through, in a folder for each group. Files that are there
already are not written again.
${aboutNew}

Examples:
  $ pandafuzz crash download 0198c0de -o crash.bin
  $ ./png_fuzzer crash.bin
  $ pandafuzz crash download --all crashes --target png_fuzzer
  $ pandafuzz crash download --all crashes 0198c0de`;

type Flags = OperatorFlags & GroupFlags & { output?: string; force?: boolean; all?: string };

export function crashDownloadCommand(): Command {
  const command = new Command('download')
    .summary('download a reproducer')
    .description(
      'Downloads the reproducer: the input of a crash, or of a group the smallest that reproduces.',
    )
    .argument('[crash-or-group]', 'id of a crash or of a group')
    .option('-o, --output <file>', 'where to write it (default: named by kind and id)')
    .option('-f, --force', 'replace the file if it is there')
    .option('--all <folder>', 'bring all inputs into this folder');
  withGroupOptions(command)
    .addHelpText('after', examples)
    .action((id: string | undefined, flags: Flags, self: Command) => {
      const { all } = flags;
      if (all !== undefined) {
        if (flags.output !== undefined) {
          self.error('error: --all names the folder: leave --output out');
        }
        return fetchAll({ ...flags, all }, id);
      }
      if (id === undefined) {
        self.error("error: missing required argument 'crash-or-group', or --all <folder>");
      }
      return fetchReproducer(flags, id);
    });
  return withOperatorFlags(command);
}
