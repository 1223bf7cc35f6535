import { Command } from 'commander';
import { fetchCorpus, showCorpus } from '../operator/corpora.js';
import { type OperatorFlags, withOperatorFlags } from './flags.js';

export function corpusCommand(): Command {
  return new Command('corpus')
    .summary('show and download the corpus of a target')
    .description(
      "Shows and downloads a target's corpus: inputs that reach new code, shared by all bots.",
    )
    .addCommand(corpusGetCommand())
    .addCommand(corpusDownloadCommand());
}

const aboutTarget = 'name of the target, as "pandafuzz job list" shows it';

function corpusGetCommand(): Command {
  const command = new Command('get')
    .summary('show its size')
    .description("Shows the size of a target's corpus.")
    .argument('<target>', aboutTarget)
    .action((target: string, flags: OperatorFlags) => showCorpus(flags, target));
  return withOperatorFlags(command);
}

const examples = `
Every input is a file named by its SHA-256. To go on with an earlier download, name the
same folder: what is there already is not written again.

Example:
  $ pandafuzz corpus download png_fuzzer -o corpus
  $ mkdir small && ./png_fuzzer -merge=1 small corpus`;

function corpusDownloadCommand(): Command {
  const command = new Command('download')
    .summary('download it into a folder')
    .description("Downloads a target's corpus into a folder, one file for each input.")
    .argument('<target>', aboutTarget)
    .option('-o, --output <folder>', 'where to write it (default: corpus-<target>)')
    .addHelpText('after', examples)
    .action((target: string, flags: OperatorFlags & { output?: string }) =>
      fetchCorpus(flags, target),
    );
  return withOperatorFlags(command);
}
