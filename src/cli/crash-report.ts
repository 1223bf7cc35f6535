import { Command, Option } from 'commander';
import { type ReportFlags, reportCrashes, reportFormats } from '../operator/crashes/report.js';
import { withOperatorFlags } from './flags.js';
import { aboutNew, withGroupOptions } from './group-options.js';

const examples = `
SARIF (2.1.0) is what code hosts and editors show at the lines it names. There,
files below --source-root, the folder that the target was built in, are named
relative to it. Groups of the status wont-fix or ignored are suppressed results.
${aboutNew}

Examples:
  $ pandafuzz crash report 0198c0de > bug.md
  $ pandafuzz crash report --new --since 1d -o today.md
  $ pandafuzz crash report --format sarif --source-root /src/png -o png.sarif`;

export function crashReportCommand(): Command {
  const command = new Command('report')
    .summary('write a report: Markdown, JSON or SARIF')
    .description(
      'Writes a report of crashes or groups, or of all groups that the options let through.',
    )
    .argument('[crashes-or-groups...]', 'ids; none: all groups that the options let through')
    .addOption(
      new Option('--format <format>', 'how it is written')
        .choices(reportFormats)
        .default('markdown'),
    )
    .option('-o, --output <file>', 'where to write it (default: standard output)')
    .option('-f, --force', 'replace the file if it is there')
    .option('--source-root <folder>', "for SARIF: the folder that the target's sources were in");
  withGroupOptions(command)
    .addHelpText('after', examples)
    .action((ids: string[], flags: ReportFlags) => reportCrashes(flags, ids));
  return withOperatorFlags(command);
}
