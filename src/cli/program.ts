import { Command } from 'commander';
import { version } from '../core/version.js';
import { complain } from '../operator/output.js';
import { completionCommand } from './completion/command.js';
import { manCommand } from './man/command.js';

/** What makes each command. A command that is named alone is loaded alone: that halves its start. */
const makers: Readonly<Record<string, () => Promise<Command>>> = {
  fuzz: async () => (await import('./fuzz.js')).fuzzCommand(),
  ci: async () => (await import('./ci.js')).ciCommand(),
  master: async () => (await import('./master.js')).masterCommand(),
  bot: async () => (await import('./bot-group.js')).botWithItsCommands(),
  job: async () => (await import('./job.js')).jobCommand(),
  crash: async () => (await import('./crash.js')).crashCommand(),
  corpus: async () => (await import('./corpus.js')).corpusCommand(),
  coverage: async () => (await import('./coverage.js')).coverageCommand(),
  target: async () => (await import('./target.js')).targetCommand(),
  campaign: async () => (await import('./campaign.js')).campaignCommand(),
  token: async () => (await import('./token.js')).tokenCommand(),
  login: async () => (await import('./login.js')).loginCommand(),
  logout: async () => (await import('./login.js')).logoutCommand(),
  whoami: async () => (await import('./token.js')).callerCommand(),
  secret: async () => (await import('./secret.js')).secretCommand(),
  audit: async () => (await import('./audit.js')).auditCommand(),
  notify: async () => (await import('./notify.js')).notifyCommand(),
  top: async () => (await import('./top.js')).topCommand(),
  watch: async () => (await import('./watch.js')).watchCommand(),
  cert: async () => (await import('./cert.js')).certCommand(),
  stats: async () => (await import('./stats.js')).statsCommand(),
  backup: async () => (await import('./backup.js')).backupCommand(),
  restore: async () => (await import('./restore.js')).restoreCommand(),
  blobs: async () => (await import('./blobs.js')).blobsCommand(),
  database: async () => (await import('./database.js')).databaseCommand(),
  conformance: async () => (await import('./conformance.js')).conformanceCommand(),
};
/** These describe all the others. */
const describers = [completionCommand, manCommand];

/**
 * The commands, as main.ts runs them, and as completion and man pages describe them.
 *
 * @param named the only one that is wanted; all of them when there is none of that name
 */
export async function makeProgram(named = ''): Promise<Command> {
  const program = emptyProgram();
  // Printed by commander itself.
  if (named === '--version' || named === '-V') return program.exitOverride();
  const one = Object.hasOwn(makers, named) ? makers[named] : undefined;
  for (const make of one ? [one] : Object.values(makers)) program.addCommand(await make());
  if (!one) for (const describe of describers) program.addCommand(describe());
  for (const command of everyCommand(program)) {
    command
      .exitOverride()
      .configureHelp({ subcommandTerm: nameAndAlias, commandDescription: inParagraphs })
      .configureOutput({ outputError: (text) => complain(inOneLine(text)) });
  }
  return program;
}

function emptyProgram(): Command {
  return new Command('pandafuzz')
    .description('Coordinates a fleet of fuzzing bots: one process, one file, over gRPC.')
    .version(version)
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

Exit codes: 0 done, 1 failed, 10 crashes found (ci, and --fail-on-crash of fuzz
and job submit), 11 could not fuzz (ci), 12 the audit log was changed (audit
verify), 64 wrong usage, 65 unusable content, 66 no such input, 69 no master,
77 no valid token, or not the right one, 78 wrong configuration,
130 interrupted.`,
    );
}

/** commander's "error: unknown command 'jb'\n(Did you mean job?)". */
function inOneLine(text: string): string {
  const said = text
    .replace(/^error: /, '')
    .trim()
    .replace(/\.?\s*\n/g, ' ');
  return `${said.replace(/\.$/, '')}; --help says more`;
}

/** Lines of a paragraph as one: they are wrapped at the terminal's width. */
const inParagraphs = (command: Command): string =>
  command.description().replace(/(?<=\S)\n(?=\S)/g, ' ');

/** Without arguments, so that a list of commands fits a terminal; their own help has those. */
function nameAndAlias(command: Command): string {
  return [command.name(), ...command.aliases()].join('|');
}

export function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}
