import { Command, Option } from 'commander';
import type { ListFlags } from '../operator/listing.js';
import { campaignSorts, shareSorts } from '../operator/sorts.js';
import { campaignChangeCommands } from './campaign-change.js';
import { campaignCreateCommand, campaignUpdateCommand } from './campaign-create.js';
import { ofProject } from './campaign-options.js';
import { campaignReportCommand } from './campaign-report.js';
import { type OperatorFlags, projectOption, wholeOption, withOperatorFlags } from './flags.js';
import { aboutLists, sinceOption, withListFlags, withShowFlags } from './list-options.js';

type Flags = OperatorFlags & { project?: string };

const examples = `
A campaign is named by its name, its id, or the first 8 digits of the id or more.

Examples:
  $ pandafuzz campaign create png ./png_fuzzer --seeds ./corpus
  $ pandafuzz campaign get png
  $ pandafuzz campaign explain png
  $ pandafuzz campaign update png --target ./png_fuzzer-2`;

export function campaignCommand(): Command {
  const command = new Command('campaign')
    .summary('keep fuzzing a target: make, change, list and show campaigns')
    .description(
      'Keeps fuzzing a target. A campaign makes its runs by itself as bots have slots free,\n' +
        'each of some minutes, until the end that it was given.',
    )
    .addCommand(campaignCreateCommand())
    .addCommand(listCommand())
    .addCommand(getCommand())
    .addCommand(explainCommand())
    .addCommand(historyCommand())
    .addCommand(campaignReportCommand())
    .addCommand(campaignUpdateCommand());
  for (const change of campaignChangeCommands()) command.addCommand(change);
  return command
    .addCommand(sharesCommand())
    .addCommand(setCommand())
    .addHelpText('after', examples);
}

function listCommand(): Command {
  const command = new Command('list')
    .alias('ls')
    .summary('list campaigns')
    .description('Lists campaigns, newest first.')
    .addOption(projectOption('only campaigns of this project'))
    .option('--target <name>', 'only campaigns of this target')
    .addOption(
      new Option('--state <state>', 'only campaigns in this state').choices([
        ...['active', 'paused', 'ended', 'archived'],
      ]),
    )
    .addOption(sinceOption('only campaigns that were made since'))
    .addOption(new Option('--archived', 'archived ones too'))
    .addHelpText('after', aboutLists)
    .action(
      async (flags: Flags & ListFlags & { archived?: boolean; state?: string; since?: Date }) => {
        const { showCampaigns } = await import('../operator/campaigns/show.js');
        return showCampaigns(flags);
      },
    );
  return withListFlags(command, campaignSorts);
}

function getCommand(): Command {
  const command = new Command('get')
    .summary('show a campaign')
    .description('Shows a campaign: what it runs, what it found, and what happened to it.')
    .argument('<campaign>', 'its name or id')
    .addOption(ofProject())
    .action(async (name: string, flags: Flags) => {
      const { showCampaign } = await import('../operator/campaigns/show.js');
      return showCampaign(flags, name);
    });
  return withShowFlags(command);
}

function explainCommand(): Command {
  const command = new Command('explain')
    .summary('say why a campaign runs as it does')
    .description(
      'Says what keeps a campaign from running, and why each build has the share of its CPU\n' +
        'time that it has.',
    )
    .argument('<campaign>', 'its name or id')
    .addOption(ofProject())
    .action(async (name: string, flags: Flags) => {
      const { explainCampaign } = await import('../operator/campaigns/show.js');
      return explainCampaign(flags, name);
    });
  return withShowFlags(command);
}

function historyCommand(): Command {
  const command = new Command('history')
    .summary('show what happened to a campaign')
    .description('Shows what happened to a campaign, newest first.')
    .argument('<campaign>', 'its name or id')
    .addOption(ofProject())
    .addOption(sinceOption('only what happened since'))
    .action(async (name: string, flags: Flags & ListFlags & { since?: Date }) => {
      const { showHistory } = await import('../operator/campaigns/show.js');
      return showHistory(flags, name);
    });
  return withListFlags(command, {});
}

function sharesCommand(): Command {
  const command = new Command('shares')
    .summary('list the shares of the fleet')
    .description(
      'Lists who takes turns on the fleet: campaigns as PROJECT/NAME, the keys of jobs that were\n' +
        'submitted by hand, and the work on crashes and corpora.',
    )
    .action(async (flags: OperatorFlags & ListFlags) => {
      const { showShares } = await import('../operator/campaigns/shares.js');
      return showShares(flags);
    });
  return withListFlags(command, shareSorts);
}

const setExamples = `
A campaign that makes its runs by itself is changed by "campaign update --weight".

Examples:
  $ pandafuzz campaign set nightly --weight 3
  $ pandafuzz campaign set "" --max-parallel 10     jobs of no campaign`;

function setCommand(): Command {
  const command = new Command('set')
    .summary('set the share of jobs that were submitted by hand')
    .description(
      'Sets the weight of a key of "job submit --campaign" beside the others, and how many of its\n' +
        'jobs may run at once.',
    )
    .argument('<campaign>', 'its key, as in "job submit --campaign"')
    .addOption(wholeOption('--weight', 'its share, 1 to 1000', 1, 1000).default(1))
    .addOption(
      wholeOption('--max-parallel', 'jobs that may run at once; 0: no limit', 0, 1_000_000).default(
        0,
      ),
    )
    .addHelpText('after', setExamples)
    .action(async (key: string, flags: OperatorFlags & { weight: number; maxParallel: number }) => {
      const { setCampaign } = await import('../operator/campaigns/shares.js');
      return setCampaign(flags, key);
    });
  return withOperatorFlags(command);
}
