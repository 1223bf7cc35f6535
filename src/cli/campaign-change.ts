import { Command } from 'commander';
import type { CampaignMove } from '../operator/campaigns/change.js';
import { type OperatorFlags, projectOption, withOperatorFlags } from './flags.js';

interface Change {
  readonly name: CampaignMove;
  readonly summary: string;
  readonly description: string;
  readonly stopsRuns: boolean;
  readonly takesReason?: boolean;
}

/** Commands that apply one change to campaigns by their names. */
const changes: readonly Change[] = [
  {
    name: 'pause',
    summary: 'let campaigns make no further runs',
    description:
      'Lets campaigns make no further runs until "campaign resume". Runs under way end as they\n' +
      'would, or with --now at once.',
    stopsRuns: true,
    takesReason: true,
  },
  {
    name: 'resume',
    summary: 'let campaigns go on',
    description:
      'Lets campaigns go on that were paused or have ended. Builds that are held since their runs\n' +
      'died at once are tried again.',
    stopsRuns: false,
  },
  {
    name: 'archive',
    summary: 'end campaigns for good',
    description:
      'Ends campaigns for good; their names are free again. Runs under way end as they would, or\n' +
      'with --now at once. Crashes and corpora stay.',
    stopsRuns: true,
  },
];

type Flags = OperatorFlags & { project?: string; now?: boolean; reason?: string };

export const campaignChangeCommands = (): Command[] => changes.map(changeCommand);

function changeCommand({ name, summary, description, stopsRuns, takesReason }: Change): Command {
  const command = new Command(name)
    .summary(summary)
    .description(description)
    .argument('<campaigns...>', 'their names or ids')
    .addOption(projectOption('their project (default: any)'));
  if (stopsRuns) command.option('--now', 'ask runs under way to end at once');
  if (takesReason) command.option('--reason <text>', 'why, for people');
  command.action(async (names: string[], flags: Flags) => {
    const { moveCampaigns } = await import('../operator/campaigns/change.js');
    process.exitCode = await moveCampaigns(flags, name, names);
  });
  return withOperatorFlags(command);
}
