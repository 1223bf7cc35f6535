import { Command } from 'commander';
import type { BotChange } from '../operator/fleet.js';
import { type OperatorFlags, withOperatorFlags } from './flags.js';

const changes: readonly { name: BotChange; summary: string; description: string }[] = [
  {
    name: 'drain',
    summary: 'let bots finish their jobs and assign no new ones',
    description: 'Lets bots finish their jobs and assigns no new ones, until "bot resume".',
  },
  {
    name: 'resume',
    summary: 'assign jobs to drained bots again',
    description: 'Assigns jobs to drained bots again.',
  },
  {
    name: 'delete',
    summary: 'delete bots that hold no job',
    description:
      'Deletes bots that hold no job. Their crashes and inputs stay; their names are free again.',
  },
];

/** `pandafuzz bot drain|resume|delete`: by a bot's id or its name. */
export function botChangeCommands(): Command[] {
  return changes.map(({ name, summary, description }) => {
    const command = new Command(name)
      .summary(summary)
      .description(description)
      .argument('<bots...>', 'ids or names of the bots')
      .action(async (bots: string[], _: unknown, self: Command) => {
        const { changeBots } = await import('../operator/fleet.js');
        const flags = self.optsWithGlobals<OperatorFlags & { wait?: boolean }>();
        process.exitCode = await changeBots(flags, name, bots);
      });
    if (name === 'drain') {
      command
        .option('--wait', 'until the bots have finished their jobs, and can be stopped')
        .addHelpText('after', examples);
    }
    return withOperatorFlags(command);
  });
}

const examples = `
Examples:
  $ pandafuzz bot drain north south
  $ pandafuzz bot drain north --wait && ssh north systemctl restart pandafuzz-bot
  $ pandafuzz bot resume north

With --wait an interrupt ends the waiting, not the draining.`;
