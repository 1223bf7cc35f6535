#!/usr/bin/env -S node --no-allocation-site-pretenuring --max-semi-space-size=8 --heap-growing-percent=30
import { debuglog } from 'node:util';
import { Command, CommanderError } from 'commander';
import { messageOf, UserError } from '../core/errors.js';
import { describeTrouble } from '../core/system-trouble.js';
import { version } from '../core/version.js';
import { complain } from '../operator/output.js';
import { backupCommand } from './backup.js';
import { botCommand } from './bot.js';
import { botChangeCommands } from './bot-change.js';
import { botExplainCommand } from './bot-explain.js';
import { botGetCommand } from './bot-get.js';
import { botListCommand } from './bot-list.js';
import { botLogCommand } from './bot-log.js';
import { campaignCommand } from './campaign.js';
import { certCommand } from './cert.js';
import { ciCommand } from './ci.js';
import { corpusCommand } from './corpus.js';
import { crashCommand } from './crash.js';
import { fuzzCommand } from './fuzz.js';
import { jobCommand } from './job.js';
import { masterCommand } from './master.js';
import { restoreCommand } from './restore.js';
import { statsCommand } from './stats.js';
import { targetCommand } from './target.js';
import { tokenCommand } from './token.js';
import { topCommand } from './top.js';

/** EX_USAGE of sysexits.h. */
const usage = 64;

const program = new Command('pandafuzz')
  .description('Coordinates a fleet of fuzzing bots: one process, one file, over gRPC.')
  .version(version)
  .addCommand(fuzzCommand())
  .addCommand(ciCommand())
  .addCommand(masterCommand())
  .addCommand(botWithItsCommands())
  .addCommand(jobCommand())
  .addCommand(crashCommand())
  .addCommand(corpusCommand())
  .addCommand(targetCommand())
  .addCommand(campaignCommand())
  .addCommand(tokenCommand())
  .addCommand(topCommand())
  .addCommand(certCommand())
  .addCommand(statsCommand())
  .addCommand(backupCommand())
  .addCommand(restoreCommand())
  .addHelpText(
    'after',
    `
Begin with one of:
  $ pandafuzz fuzz ./fuzzer                           fuzz on this machine
  $ pandafuzz master                                  a master, in one terminal
  $ pandafuzz bot                                     a bot, in another
  $ pandafuzz job submit ./fuzzer --seeds ./corpus    a job
  $ pandafuzz crash list                              its crashes
  $ pandafuzz top                                     how it all does

Ids may be shortened, as lists show them, to what begins no other id.

Exit codes: 0 done, 1 failed, 10 crashes found (ci, and --fail-on-crash of fuzz and
job submit), 11 could not fuzz (ci), 64 wrong usage, 65 unusable content,
66 no such input, 69 no master, 77 no valid token, or not the right one,
78 wrong configuration, 130 interrupted.`,
  );

for (const command of everyCommand(program)) {
  command
    .exitOverride()
    .configureHelp({ subcommandTerm: nameAndAlias })
    .configureOutput({ outputError: (text) => complain(inOneLine(text)) });
}

// `pandafuzz … | head`: a reader that closes its end needs no more output.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

try {
  await program.parseAsync(helpAtTheEnd(process.argv.slice(2)), { from: 'user' });
} catch (error) {
  process.exitCode = report(error);
}

function botWithItsCommands(): Command {
  const bot = botCommand()
    .addCommand(botListCommand())
    .addCommand(botGetCommand())
    .addCommand(botExplainCommand())
    .addCommand(botLogCommand());
  for (const change of botChangeCommands()) bot.addCommand(change);
  return bot;
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usage;
  if (error instanceof UserError) {
    complain(error.message);
    return error.exitCode;
  }
  const fault = `internal error: ${messageOf(error)} (NODE_DEBUG=pandafuzz shows where; please report it)`;
  complain(describeTrouble(error) ?? fault);
  debuglog('pandafuzz')('%O', error);
  return 1;
}

/** commander's "error: unknown command 'jb'\n(Did you mean job?)". */
function inOneLine(text: string): string {
  const said = text
    .replace(/^error: /, '')
    .trim()
    .replace(/\.?\s*\n/g, ' ');
  return `${said.replace(/\.$/, '')}; --help says more`;
}

/** "help job submit" as "job submit --help": commander itself reads only "help job". */
function helpAtTheEnd(args: string[]): string[] {
  return args[0] === 'help' && args.length > 2 ? [...args.slice(1), '--help'] : args;
}

/** Without arguments, so that a list of commands fits a terminal; their own help has those. */
function nameAndAlias(command: Command): string {
  return [command.name(), ...command.aliases()].join('|');
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}
