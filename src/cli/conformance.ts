import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { isRule, type Rule, rules } from '../conformance/rules.js';
import { messageOf, UserError } from '../core/errors.js';
import { durationOption } from './flags.js';

interface Flags {
  readonly bot: string;
  readonly engine?: string;
  readonly target?: string;
  readonly only?: Rule[];
  readonly skip: Rule[];
  /** Milliseconds. */
  readonly wait: number;
  readonly start: number;
  readonly deadline: number;
  readonly verbose?: boolean;
  readonly json?: boolean;
}

export function conformanceCommand(): Command {
  return new Command('conformance')
    .summary("check a bot of one's own against the protocol")
    .description(
      'Plays a master against a bot, and prints what the bot gets wrong. The bot is\n' +
        'started by a shell, several times, with the address of the master in\n' +
        'PANDAFUZZ_MASTER, an empty folder in PANDAFUZZ_BOT_WORK_DIR, and with\n' +
        'PANDAFUZZ_BOT_NAME and PANDAFUZZ_BOT_SLOTS (2). In the command, {master} and\n' +
        '{work_dir} stand for the first two. It is stopped by SIGTERM.\n\n' +
        'Jobs are for the engine libfuzzer or command, if the bot announces one of them,\n' +
        'and else for its first.',
    )
    .requiredOption('--bot <command>', 'how the bot is started')
    .option('--engine <name>', 'engine of the jobs')
    .option('--target <file>', 'target of the jobs (default: a script that suits most engines)')
    .addOption(
      new Option('--only <checks>', 'only these, with commas between').argParser(readRules),
    )
    .addOption(
      new Option('--skip <checks>', 'all but these, with commas between')
        .argParser(readRules)
        .default([], 'none'),
    )
    .addOption(
      durationOption('--wait', 'time for one step of the bot', '100ms', '10m').default(
        10_000,
        '10s',
      ),
    )
    .addOption(
      durationOption('--start', 'time for the bot to start', '100ms', '10m').default(30_000, '30s'),
    )
    .addOption(
      durationOption('--deadline', 'time for everything', '1s', '24h').default(600_000, '10m'),
    )
    .option('-v, --verbose', 'print what the bot prints, on standard error')
    .option('--json', 'print JSON for scripts')
    .addHelpText('after', `\nChecks: ${wrapped(rules)}\n${examples}`)
    .action(async (flags: Flags) => {
      process.exitCode = await run(flags);
    });
}

const examples = `
Examples:
  $ pandafuzz conformance --bot "pandafuzz bot"
  $ pandafuzz conformance --bot "python3 bot.py --master {master}" --only cancel,drain --verbose
  $ pandafuzz conformance --bot ./bot --engine my-engine --target ./my-target --json

Exit codes: 0 every check passed, 1 one failed, 64 wrong usage.`;

async function run(flags: Flags): Promise<number> {
  const { untilStopped } = await import('../operator/session.js');
  const { checkConformance } = await import('../conformance/conformance.js');
  const { report } = await import('../conformance/report.js');
  const target = flags.target === undefined ? undefined : await contentOf(flags.target);
  const result = await untilStopped((signal) =>
    checkConformance({
      command: flags.bot,
      engine: flags.engine,
      target,
      only: flags.only,
      skip: flags.skip,
      waitMs: flags.wait,
      startMs: flags.start,
      deadlineMs: flags.deadline,
      isVerbose: flags.verbose === true,
      onCheck: (rule) => {
        if (process.stderr.isTTY || flags.verbose) process.stderr.write(`checks ${rule}\n`);
      },
      signal,
    }),
  );
  return report(flags, flags.bot, result);
}

/** EX_NOINPUT of sysexits.h. */
const noInput = 66;

async function contentOf(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${messageOf(error)}`, noInput);
  }
}

function readRules(text: string): Rule[] {
  return text.split(',').map((word) => {
    if (isRule(word)) return word;
    throw new InvalidArgumentError(`There is no check "${word}".`);
  });
}

const wrapped = (words: readonly string[]): string =>
  words.join(', ').replace(/(.{1,72})(, |$)/g, (_, line, end) => `${line}${end.trim() && ',\n  '}`);
