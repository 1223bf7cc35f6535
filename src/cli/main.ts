#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { UserError } from '../core/errors.js';
import { version } from '../core/version.js';
import { botCommand } from './bot.js';
import { botListCommand } from './bot-list.js';
import { crashCommand } from './crash.js';
import { jobCommand } from './job.js';
import { masterCommand } from './master.js';
import { statsCommand } from './stats.js';

/** EX_USAGE of sysexits.h. */
const usage = 64;

const program = new Command('pandafuzz')
  .description('Coordinates a fleet of fuzzing bots: one process, one file, over gRPC.')
  .version(version)
  .addCommand(masterCommand())
  .addCommand(botCommand().addCommand(botListCommand()))
  .addCommand(jobCommand())
  .addCommand(crashCommand())
  .addCommand(statsCommand())
  .addHelpText(
    'after',
    `
Begin with:
  $ pandafuzz master                                  a master, in one terminal
  $ pandafuzz bot                                     a bot, in another
  $ pandafuzz job submit ./fuzzer --seeds ./corpus    work for it
  $ pandafuzz crash list                              what it found

Exit codes: 0 done, 1 failed, 64 wrong usage, 66 no such input, 69 no master,
78 wrong configuration.`,
  );

for (const command of everyCommand(program)) {
  command.exitOverride().showHelpAfterError('(--help says more)');
}

// `pandafuzz … | head`: who reads no further wants no more.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usage;
  if (!(error instanceof UserError)) throw error;
  console.error(`pandafuzz: ${error.message}`);
  return error.exitCode;
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}
