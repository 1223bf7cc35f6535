import { Command } from 'commander';
import type { LogFlags } from '../operator/logs.js';
import { withOperatorFlags } from './flags.js';

export function jobLogCommand(): Command {
  const command = new Command('log')
    .alias('logs')
    .summary("show the last of what a job's engine printed")
    .description(
      "Shows the last 64 KiB of what the engine of a job's present or last attempt printed, or what\n" +
        'its bot logged about it. It comes from the bot; of failed attempts the master keeps it.',
    )
    .argument('<job>', 'id of the job')
    .option('-f, --follow', 'go on as more is printed, until the job has ended')
    .option('--bot-log', "the bot's log about the job, in place of the engine's output")
    .addHelpText('after', examples)
    .action(async (job: string, _: unknown, self: Command) => {
      const { showJobLog } = await import('../operator/logs.js');
      await showJobLog(self.optsWithGlobals<LogFlags>(), job);
    });
  return withOperatorFlags(command);
}

const examples = `
Examples:
  $ pandafuzz job log 01a2
  $ pandafuzz job log 01a2 --follow
  $ pandafuzz job log 01a2 --bot-log`;
