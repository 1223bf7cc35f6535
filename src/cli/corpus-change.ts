import { Command } from 'commander';
import { mergeCorpus, removeInputs, resetCorpus } from '../operator/corpora/change.js';
import type { CorpusFlags } from '../operator/corpora/names.js';
import { ofCorpus } from './corpus-options.js';

const mergeExamples = `
A bot has the engine choose the inputs that the coverage of the target's newest
build needs. They replace the corpus at once, if they cover as much as it did.
Inputs that were added meanwhile, or are put aside for that build, are kept.
corpus.merge in master.yaml has it done by itself.

Examples:
  $ pandafuzz corpus merge png_fuzzer
  $ pandafuzz corpus merge png_fuzzer --wait`;

export function corpusMergeCommand(): Command {
  return ofCorpus(new Command('merge'))
    .summary('keep the inputs that its coverage needs')
    .description("Makes a job that merges a target's corpus. Prints its id.")
    .option('--wait', 'wait for its end; fail unless it completed')
    .addHelpText('after', mergeExamples)
    .action(async (target: string, flags: CorpusFlags & { wait?: boolean }) => {
      process.exitCode = await mergeCorpus(flags, target);
    });
}

export function corpusRemoveCommand(): Command {
  return ofCorpus(new Command('remove'))
    .alias('rm')
    .summary('remove inputs')
    .description("Removes inputs from a target's corpus. Bots drop them with their next exchange.")
    .argument('<inputs...>', "SHA-256 of each, or first digits of it that are no other input's")
    .addHelpText('after', '\nExample:\n  $ pandafuzz corpus remove png_fuzzer 5e884898 3f79bb7b')
    .action(async (target: string, texts: string[], flags: CorpusFlags) => {
      process.exitCode = await removeInputs(flags, target, texts);
    });
}

export function corpusResetCommand(): Command {
  return ofCorpus(new Command('reset'))
    .summary('empty it')
    .description("Removes every input of a target's corpus, and forgets what was put aside.")
    .option('--yes', 'do it: it cannot be undone')
    .addHelpText('after', '\nExample:\n  $ pandafuzz corpus reset png_fuzzer --yes')
    .action((target: string, flags: CorpusFlags & { yes?: boolean }) => resetCorpus(flags, target));
}
