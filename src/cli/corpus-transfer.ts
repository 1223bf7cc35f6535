import { Command } from 'commander';
import { exportCorpus } from '../operator/corpora/export.js';
import { importInto } from '../operator/corpora/import.js';
import type { CorpusFlags } from '../operator/corpora/names.js';
import { ofCorpus } from './corpus-options.js';

const importExamples = `
Files of a folder and of the folders in it are taken, whatever their names;
those longer than 1 MiB are left out. A target may have a corpus before its
first job.

Examples:
  $ pandafuzz corpus import png_fuzzer ./corpus
  $ pandafuzz corpus import png_fuzzer seeds.tar.gz crash-1f2e3d`;

export function corpusImportCommand(): Command {
  return ofCorpus(new Command('import'))
    .summary('add files to it')
    .description(
      "Adds files to a target's corpus: of folders and .tar.gz archives, or as they are.",
    )
    .argument('<sources...>', 'folders, .tar or .tar.gz archives, files')
    .addHelpText('after', importExamples)
    .action((target: string, sources: string[], flags: CorpusFlags) =>
      importInto(flags, target, sources),
    );
}

const exportExamples = `
Every input is a file named by its SHA-256. To go on with an earlier export,
name the same folder: what is there already is not written again.

Examples:
  $ pandafuzz corpus export png_fuzzer -o corpus
  $ pandafuzz corpus export png_fuzzer -o corpus.tar.gz
  $ mkdir small && ./png_fuzzer -merge=1 small corpus`;

export function corpusExportCommand(): Command {
  return ofCorpus(new Command('export'))
    .alias('download')
    .summary('download it into a folder or an archive')
    .description("Downloads a target's corpus, one file for each input.")
    .option('-o, --output <path>', 'a folder, or a .tar.gz (default: corpus-<target>)')
    .option('-f, --force', 'replace the archive if it is there')
    .addHelpText('after', exportExamples)
    .action((target: string, flags: CorpusFlags & { output?: string; force?: boolean }) =>
      exportCorpus(flags, target),
    );
}
