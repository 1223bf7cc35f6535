import { Command } from 'commander';
import { fetchCorpus, showCorpus } from '../operator/corpora.js';
import { type OperatorFlags, withOperatorFlags } from './flags.js';

export function corpusCommand(): Command {
  return new Command('corpus')
    .summary('look at and download what bots found worth keeping')
    .description(
      "Looks at and downloads a target's corpus: the inputs that its bots found worth keeping, and share.",
    )
    .addCommand(corpusGetCommand())
    .addCommand(corpusDownloadCommand());
}

const aboutTarget = 'name of the target, as "pandafuzz job list" shows it';

function corpusGetCommand(): Command {
  const command = new Command('get')
    .summary('show how large it is')
    .description("Shows how large a target's corpus is.")
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
    .description("Brings a target's corpus into a folder, a file for each input.")
    .argument('<target>', aboutTarget)
    .option('-o, --output <folder>', 'where to write it (default: corpus-<target>)')
    .addHelpText('after', examples)
    .action((target: string, flags: OperatorFlags & { output?: string }) =>
      fetchCorpus(flags, target),
    );
  return withOperatorFlags(command);
}
