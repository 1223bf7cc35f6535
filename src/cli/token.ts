import { Command, InvalidArgumentError, Option } from 'commander';
import type { Role } from '../core/principal.js';
import { tokenSorts } from '../operator/sorts.js';
import { durationWithin, type OperatorFlags, projectText, withOperatorFlags } from './flags.js';
import { aboutLists, type ListCommandFlags, withListFlags, withShowFlags } from './list-options.js';

const examples = `
Examples:
  $ pandafuzz token create ci --role operator --expires 90d --output ci.token
  $ pandafuzz token create web --role operator --project web --project shop
  $ pandafuzz token create north --role bot --certificate DNS:north
  $ pandafuzz token create --enrol --pool rented          for one bot, within an hour
  $ PANDAFUZZ_TOKEN=pf_enrol_… pandafuzz bot --master fuzz.example.org:50051
  $ pandafuzz token create north --role bot --bot north   a second one, to replace the first
  $ pandafuzz token create me --role admin --data /var/lib/pandafuzz/data

The token alone is printed on standard output, this once. With --data it is made in the
database of a master that is stopped, by who may read that: no token is needed for it.`;

interface CreateFlags extends OperatorFlags {
  readonly role?: Exclude<Role, 'enrol'>;
  readonly enrol?: boolean;
  readonly expires?: number;
  readonly pool?: string;
  readonly project?: string[];
  readonly certificate?: string;
  readonly bot?: string;
  readonly output?: string;
  readonly data?: string;
}

export function tokenCommand(): Command {
  return new Command('token')
    .summary('make, list and revoke tokens of callers')
    .description(
      'Makes, lists and revokes the tokens that callers need where auth.mode is on. A viewer\n' +
        'reads, an operator changes, an admin makes tokens and backups, a bot is one bot.',
    )
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand())
    .addCommand(callerCommand());
}

function createCommand(): Command {
  const command = new Command('create')
    .summary('make a token')
    .description('Makes a token, and prints it.')
    .argument('[name]', 'name of the token, for people')
    .addOption(
      new Option('--role <role>', 'what it may do').choices(['viewer', 'operator', 'admin', 'bot']),
    )
    .addOption(
      new Option('--enrol', 'a token that one bot exchanges for its own').conflicts([
        'role',
        'bot',
      ]),
    )
    .addOption(
      new Option(
        '--expires <duration>',
        'time until it ends (default: never; with --enrol 1h, at most 7d)',
      ).argParser(durationWithin('1s', '3650d')),
    )
    .addOption(
      new Option('--pool <name>', 'label "pool" of its bots, which jobs may require').argParser(
        poolName,
      ),
    )
    .addOption(
      new Option(
        '--project <name>',
        'project that it is bound to; repeat for more (default: all)',
      ).argParser(projectNames),
    )
    .option(
      '--certificate <name>',
      'name in a certificate that stands for it, as DNS:north: no token is printed',
    )
    .option('--bot <id or name>', 'the bot that it is (default: the first that registers with it)')
    .option('--output <file>', 'write the token there, for its owner alone, instead of printing it')
    .addOption(
      new Option('--data <folder>', 'in the database of a master that is stopped').conflicts([
        'bot',
        'enrol',
      ]),
    )
    .addHelpText('after', examples)
    .action(async (given: string | undefined, flags: CreateFlags, self: Command) => {
      const role = flags.enrol ? 'enrol' : flags.role;
      const name = given ?? (flags.enrol ? 'enrolment' : undefined);
      if (role === undefined) self.error('error: give a --role, or --enrol');
      if (name === undefined) self.error('error: give the token a name');
      const { createToken, tellToken, tokenRequest } = await import('../operator/tokens.js');
      if (flags.data === undefined) {
        await createToken({ ...flags, role }, name);
        return;
      }
      const { createTokenInData } = await import('../app/token-in-data.js');
      const request = tokenRequest({ ...flags, role }, name);
      await tellToken(flags, await createTokenInData(flags.data, request));
    });
  return withOperatorFlags(command);
}

function listCommand(): Command {
  const command = new Command('list')
    .alias('ls')
    .summary('list tokens')
    .description('Lists tokens, newest first, without what they are.')
    .addOption(
      new Option('--role <role>', 'only tokens of this role').choices([
        ...['viewer', 'operator', 'admin', 'bot', 'enrol'],
      ]),
    )
    .addHelpText('after', aboutLists)
    .action(async (flags: ListCommandFlags & { role?: Role }) => {
      const { showTokens } = await import('../operator/tokens.js');
      await showTokens(flags);
    });
  return withListFlags(command, tokenSorts);
}

function revokeCommand(): Command {
  const command = new Command('revoke')
    .summary('end tokens at once')
    .description('Ends tokens for good, and within a second every call under way with them.')
    .argument('<tokens...>', 'ids or names of the tokens')
    .action(async (tokens: string[], flags: OperatorFlags) => {
      const { revokeTokens } = await import('../operator/tokens.js');
      process.exitCode = await revokeTokens(flags, tokens);
    });
  return withOperatorFlags(command);
}

export function callerCommand(): Command {
  const command = new Command('whoami')
    .summary('show what the master takes this caller for')
    .description('Shows what the master takes this caller for: its token, or everybody.')
    .action(async (flags: OperatorFlags) => {
      const { showCaller } = await import('../operator/tokens.js');
      await showCaller(flags);
    });
  return withShowFlags(command);
}

function projectNames(text: string, before: string[] = []): string[] {
  return [...before, projectText(text)];
}

function poolName(text: string): string {
  if (/^[A-Za-z0-9._-]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError("It must be 1 to 64 letters, digits, '.', '_' or '-'.");
}
