import { Command, Option } from 'commander';
import type { BuildFlags } from '../operator/coverage/run.js';
import type { GetFlags } from '../operator/coverage/show.js';
import type { CoverageFlags } from '../operator/coverage/words.js';
import { coverageSorts } from '../operator/sorts.js';
import { projectOption, wholeOption, withOperatorFlags } from './flags.js';
import { aboutLists, type ListCommandFlags, withListFlags, withShowFlags } from './list-options.js';

export function coverageCommand(): Command {
  return new Command('coverage')
    .summary('show which lines of a source the corpus reaches')
    .description(
      'Shows which lines of the source of a target its corpus reaches. A coverage build is compiled\n' +
        'with clang -fprofile-instr-generate -fcoverage-mapping -fsanitize=fuzzer; a bot that has\n' +
        'llvm-profdata and llvm-cov runs the corpus through it.',
    )
    .addCommand(runCommand())
    .addCommand(listCommand())
    .addCommand(getCommand())
    .addCommand(showCommand());
}

const ofTarget = (command: Command): Command =>
  command
    .argument('<target>', 'name of the target, as "pandafuzz corpus list" shows it')
    .addOption(
      new Option('--project <name>', 'project of the target')
        .env('PANDAFUZZ_PROJECT')
        .default('default'),
    );

const runExamples = `
The program becomes the coverage build of the target, and stays it: later reports
need the target's name alone, and corpus.coverage in master.yaml has them made daily.
With --sources, or sources in the bundle, reports show them line by line.

Examples:
  $ clang -g -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping png.c -o png_cov
  $ pandafuzz coverage run png_fuzzer ./png_cov --sources . --wait
  $ pandafuzz coverage run png_fuzzer`;

function runCommand(): Command {
  const command = ofTarget(new Command('run'))
    .summary('make a report now; bring a coverage build')
    .description('Makes a job that reports the source coverage of a corpus. Prints its id.')
    .argument('[program]', 'the coverage build; with --bundle, its path in the bundle')
    .option('--bundle <path>', 'a folder or an archive with the coverage build in it')
    .option('--sources <folder>', 'sources to send along with the program')
    .option('--register', 'only make it the coverage build; reports come by themselves')
    .option('--wait', 'wait for its end; fail unless it completed')
    .addHelpText('after', runExamples)
    .action(
      async (target: string, program: string | undefined, flags: CoverageFlags & BuildFlags) => {
        const { runCoverage } = await import('../operator/coverage/run.js');
        process.exitCode = await runCoverage(flags, target, program);
      },
    );
  return withOperatorFlags(command);
}

function listCommand(): Command {
  const command = new Command('list')
    .alias('ls')
    .summary('list targets with a coverage build')
    .description('Lists targets with a coverage build, each with its newest report.')
    .addOption(projectOption('only targets of this project'))
    .addHelpText('after', `${aboutLists}\n\nExample:\n  $ pandafuzz coverage list --sort covered`)
    .action(async (flags: ListCommandFlags & { project?: string }) => {
      const { listCoverage } = await import('../operator/coverage/show.js');
      return listCoverage(flags);
    });
  return withListFlags(command, coverageSorts);
}

const reportOption = () =>
  wholeOption('--report', 'an earlier report, by its number', 1, Number.MAX_SAFE_INTEGER);

const getExamples = `
"change" is lines that ran now and not in the report before, and lines that no longer
ran. The newest 10 reports are kept.

Examples:
  $ pandafuzz coverage get png_fuzzer
  $ pandafuzz coverage get png_fuzzer --html coverage.html
  $ pandafuzz coverage get png_fuzzer --json | jq '.files[].path'`;

function getCommand(): Command {
  const command = ofTarget(new Command('get'))
    .summary('show a report: files, lines, and what is new')
    .description('Shows the newest report of a target, or writes it as HTML.')
    .addOption(reportOption())
    .option('--html <file>', 'write it with its sources as one HTML file')
    .option('-f, --force', 'replace the file if it is there')
    .addHelpText('after', getExamples)
    .action(async (target: string, flags: GetFlags & { html?: string; force?: boolean }) => {
      const { html } = flags;
      if (html !== undefined) {
        const { writeHtml } = await import('../operator/coverage/html.js');
        return writeHtml({ ...flags, html }, target);
      }
      const { showCoverage } = await import('../operator/coverage/show.js');
      return showCoverage(flags, target);
    });
  return withShowFlags(command);
}

const showExamples = `
Each line has its number, the times it ran, + or - where that is new or lost, and its
source. A file is named by its path, or by the end of it.

Example:
  $ pandafuzz coverage show png_fuzzer pngread.c | less -R`;

function showCommand(): Command {
  const command = ofTarget(new Command('show'))
    .summary('show a file of a report line by line')
    .description('Shows a file of a report line by line.')
    .argument('<file>', 'its path, or the end of it')
    .addOption(reportOption())
    .addHelpText('after', showExamples)
    .action(async (target: string, file: string, flags: GetFlags) => {
      const { showCoverageFile } = await import('../operator/coverage/show.js');
      return showCoverageFile(flags, target, file);
    });
  return withShowFlags(command);
}
