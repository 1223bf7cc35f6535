import { Command } from 'commander';
import { fetchReproducer } from '../operator/crashes.js';
import { type OperatorFlags, withOperatorFlags } from './flags.js';

const examples = `
Example:
  $ pandafuzz crash download 0198c0de-0000-7000-8000-000000000000 -o crash.bin
  $ ./png_fuzzer crash.bin`;

export function crashDownloadCommand(): Command {
  const command = new Command('download')
    .summary('download a reproducer')
    .description(
      'Downloads the reproducer: the input of a crash, or of the newest crash of a group.',
    )
    .argument('<crash-or-group>', 'id of a crash or of a group')
    .option('-o, --output <file>', 'where to write it (default: named by kind and id)')
    .option('-f, --force', 'replace the file if it is there')
    .addHelpText('after', examples)
    .action((id: string, flags: OperatorFlags & { output?: string; force?: boolean }) =>
      fetchReproducer(flags, id),
    );
  return withOperatorFlags(command);
}
