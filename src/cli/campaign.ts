import { Command } from 'commander';
import { setCampaign, showCampaigns } from '../operator/campaigns.js';
import { limitOption, type OperatorFlags, wholeOption, withOperatorFlags } from './flags.js';

const examples = `
Examples:
  $ pandafuzz campaign set nightly --weight 3
  $ pandafuzz campaign set "" --max-parallel 10     jobs of no campaign`;

export function campaignCommand(): Command {
  return new Command('campaign')
    .summary('list campaigns and set their shares')
    .description('Lists campaigns, which take turns by their weights, and sets their shares.')
    .addCommand(listCommand())
    .addCommand(setCommand());
}

function listCommand(): Command {
  const command = new Command('list')
    .alias('ls')
    .summary('list campaigns')
    .description('Lists campaigns by their keys.')
    .addOption(limitOption())
    .action((flags: OperatorFlags & { limit: number }) => showCampaigns(flags));
  return withOperatorFlags(command);
}

function setCommand(): Command {
  const command = new Command('set')
    .summary("set a campaign's share")
    .description("Sets a campaign's weight beside the others, and how much of it may run at once.")
    .argument('<campaign>', 'its key, as in "job submit --campaign"')
    .addOption(wholeOption('--weight', 'its share, 1 to 1000', 1, 1000).default(1))
    .addOption(
      wholeOption('--max-parallel', 'jobs that may run at once; 0: no limit', 0, 1_000_000).default(
        0,
      ),
    )
    .addHelpText('after', examples)
    .action((key: string, flags: OperatorFlags & { weight: number; maxParallel: number }) =>
      setCampaign(flags, key),
    );
  return withOperatorFlags(command);
}
