import { Command, Option } from 'commander';
import type { CampaignReportFlags } from '../operator/campaigns/report/report.js';
import { ofProject } from './campaign-options.js';
import { wholeOption, withOperatorFlags } from './flags.js';

const examples = `
HTML is one file, with curves as pictures; it has no script and fetches nothing. In
Markdown curves are characters. JSON has all figures of the curves.

Examples:
  $ pandafuzz campaign report png > png.md
  $ pandafuzz campaign report png --format html -o png.html`;

export function campaignReportCommand(): Command {
  const command = new Command('report')
    .summary('write a report: Markdown, HTML or JSON')
    .description(
      'Writes a report of a campaign: what ran, its figures over time, whether there is more to\n' +
        'find, and the crash groups of its target that were met since it was made, each with its\n' +
        'reproducer.',
    )
    .argument('<campaign>', 'its name or id')
    .addOption(ofProject())
    .addOption(
      new Option('--format <format>', 'how it is written')
        .choices(['markdown', 'html', 'json'])
        .default('markdown'),
    )
    .addOption(wholeOption('--groups', 'crash groups that it shows at most', 0, 1000).default(50))
    .option('-o, --output <file>', 'where to write it (default: standard output)')
    .option('-f, --force', 'replace the file if it is there')
    .addHelpText('after', examples)
    .action(async (name: string, flags: CampaignReportFlags) => {
      const { reportCampaign } = await import('../operator/campaigns/report/report.js');
      return reportCampaign(flags, name);
    });
  return withOperatorFlags(command);
}
