import { Command } from 'commander';
import { version } from '../core/version.js';
import { complain } from '../operator/output.js';
import { auditCommand } from './audit.js';
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
import { completionCommand } from './completion/command.js';
import { corpusCommand } from './corpus.js';
import { crashCommand } from './crash.js';
import { fuzzCommand } from './fuzz.js';
import { jobCommand } from './job.js';
import { manCommand } from './man/command.js';
import { masterCommand } from './master.js';
import { notifyCommand } from './notify.js';
import { restoreCommand } from './restore.js';
import { statsCommand } from './stats.js';
import { targetCommand } from './target.js';
import { tokenCommand } from './token.js';
import { topCommand } from './top.js';
import { watchCommand } from './watch.js';

/** All commands, as main.ts runs them, and as completion and man pages describe them. */
export function makeProgram(): Command {
  const program = commands();
  for (const command of everyCommand(program)) {
    command
      .exitOverride()
      .configureHelp({ subcommandTerm: nameAndAlias })
      .configureOutput({ outputError: (text) => complain(inOneLine(text)) });
  }
  return program;
}

function commands(): Command {
  return new Command('pandafuzz')
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
    .addCommand(auditCommand())
    .addCommand(notifyCommand())
    .addCommand(topCommand())
    .addCommand(watchCommand())
    .addCommand(certCommand())
    .addCommand(statsCommand())
    .addCommand(backupCommand())
    .addCommand(restoreCommand())
    .addCommand(completionCommand())
    .addCommand(manCommand())
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
job submit), 11 could not fuzz (ci), 12 the audit log was
changed (audit verify), 64 wrong usage, 65 unusable content,
66 no such input, 69 no master, 77 no valid token, or not the right one,
78 wrong configuration, 130 interrupted.`,
    );
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

/** commander's "error: unknown command 'jb'\n(Did you mean job?)". */
function inOneLine(text: string): string {
  const said = text
    .replace(/^error: /, '')
    .trim()
    .replace(/\.?\s*\n/g, ' ');
  return `${said.replace(/\.$/, '')}; --help says more`;
}

/** Without arguments, so that a list of commands fits a terminal; their own help has those. */
function nameAndAlias(command: Command): string {
  return [command.name(), ...command.aliases()].join('|');
}

export function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}
