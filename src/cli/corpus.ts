import { Command } from 'commander';
import type { CorpusFlags } from '../operator/corpora/names.js';
import { showCorpora, showCorpus } from '../operator/corpora/show.js';
import { corpusSorts } from '../operator/sorts.js';
import { corpusMergeCommand, corpusRemoveCommand, corpusResetCommand } from './corpus-change.js';
import { ofCorpus } from './corpus-options.js';
import { corpusExportCommand, corpusImportCommand } from './corpus-transfer.js';
import { projectOption } from './flags.js';
import { aboutLists, type ListCommandFlags, withListFlags } from './list-options.js';

export function corpusCommand(): Command {
  return new Command('corpus')
    .summary('show, import, export, merge and clean the corpora of targets')
    .description(
      "A target's corpus has inputs that reach new code, shared by all bots and engines.",
    )
    .addCommand(corpusListCommand())
    .addCommand(corpusGetCommand())
    .addCommand(corpusImportCommand())
    .addCommand(corpusExportCommand())
    .addCommand(corpusMergeCommand())
    .addCommand(corpusRemoveCommand())
    .addCommand(corpusResetCommand());
}

function corpusListCommand(): Command {
  const command = new Command('list')
    .alias('ls')
    .summary('list corpora')
    .description('Lists corpora by project and target. "cov" is their coverage at the last merge.')
    .addOption(projectOption('only corpora of this project'))
    .option('--target <name>', 'only the corpus of this target')
    .addHelpText('after', `${aboutLists}\n\nExample:\n  $ pandafuzz corpus list --sort size`)
    .action((flags: ListCommandFlags & { project?: string; target?: string }) =>
      showCorpora(flags),
    );
  return withListFlags(command, corpusSorts);
}

const getExamples = `
Inputs are put aside for a build that crashes or hangs on them while it loads
its corpus: it is fuzzed without them, and the next build is tried with them.

Examples:
  $ pandafuzz corpus get png_fuzzer
  $ pandafuzz corpus get png_fuzzer --project images --json | jq .entries`;

function corpusGetCommand(): Command {
  return ofCorpus(new Command('get'))
    .summary('show its size, where its inputs came from, and what is put aside')
    .description("Shows a target's corpus.")
    .addHelpText('after', getExamples)
    .action((target: string, flags: CorpusFlags) => showCorpus(flags, target));
}
