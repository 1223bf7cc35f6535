import { Command } from 'commander';
import type { BotChange } from '../operator/fleet.js';
import { type OperatorFlags, withOperatorFlags } from './flags.js';

const changes: readonly { name: BotChange; summary: string; description: string }[] = [
  {
    name: 'drain',
    summary: 'let bots finish, and give them nothing new',
    description: 'Lets bots finish what they have and gives them nothing new, until "bot resume".',
  },
  {
    name: 'resume',
    summary: 'give drained bots work again',
    description: 'Gives drained bots work again.',
  },
  {
    name: 'delete',
    summary: 'forget bots that hold no job',
    description:
      'Forgets bots that hold no job. What they found stays; their names are free again.',
  },
];

/** `pandafuzz bot drain|resume|delete`: by a bot's id or its name. */
export function botChangeCommands(): Command[] {
  return changes.map(({ name, summary, description }) =>
    withOperatorFlags(
      new Command(name)
        .summary(summary)
        .description(description)
        .argument('<bots...>', 'ids or names of the bots')
        .action(async (bots: string[], _: unknown, self: Command) => {
          const { changeBots } = await import('../operator/fleet.js');
          process.exitCode = await changeBots(self.optsWithGlobals<OperatorFlags>(), name, bots);
        }),
    ),
  );
}
