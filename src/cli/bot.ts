import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type IsolationWish, isolationWishes } from '../core/isolation.js';
import { createLog, type LogOptions, logFormats, logLevels } from '../core/log.js';
import type { UserRange } from '../core/user-range.js';
import { durationOption, masterOption } from './flags.js';

interface Given {
  readonly master: string;
  readonly name: string;
  readonly workDir?: string;
  readonly slots: number;
  readonly label: Record<string, string>;
  /** Milliseconds. */
  readonly corpusInterval: number;
  readonly corpus: boolean;
  readonly isolation: IsolationWish;
  readonly runUsers?: UserRange;
  readonly readable: string[];
  readonly logLevel: LogOptions['level'];
  readonly logFormat: LogOptions['format'];
}

/** `pandafuzz bot`: the agent, as its default action. */
export function botCommand(): Command {
  return new Command('bot')
    .summary('run a bot: take jobs from a master and fuzz')
    .description(
      'Runs a bot: connects to a master, takes jobs, fuzzes, and reports crashes and statistics.\n' +
        'It keeps fuzzing while the master is away, and keeps crashes on disk until they are acknowledged.',
    )
    .addOption(masterOption())
    .option('--name <name>', 'name of the bot, unique in the fleet', botName, defaultName())
    .option('--work-dir <folder>', 'folder for this bot only (default: ./data/bots/<name>)')
    .option('--slots <number>', 'jobs to run at once, 1 to 1024', slots, availableParallelism())
    .addOption(
      new Option(
        '--label <key=value>',
        'label of the bot, for jobs that require it; may be repeated',
      )
        .argParser(label)
        .default({}, 'none'),
    )
    .addOption(
      durationOption(
        '--corpus-interval',
        'time between exchanges of inputs with other bots',
        '1s',
        '24h',
      ).default(60_000, '1m'),
    )
    .option('--no-corpus', 'neither send inputs to other bots nor receive theirs')
    .addOption(
      new Option(
        '--isolation <level>',
        'how runs are kept apart: auto takes the best that works, any other level must work',
      )
        .env('PANDAFUZZ_ISOLATION')
        .choices(isolationWishes)
        .default('auto'),
    )
    .addOption(
      new Option(
        '--run-users <first-last>',
        'user ids for runs, one each, where the bot is root (default: 70000-70999)',
      ).argParser(userRange),
    )
    .addOption(
      new Option('--readable <path>', 'what runs may read besides the system; may be repeated')
        .argParser((path: string, before: string[]) => [...before, path])
        .default([], 'none'),
    )
    .addOption(
      new Option('--log-level <level>', 'lowest level to log').choices(logLevels).default('info'),
    )
    .addOption(
      new Option('--log-format <format>', 'auto: pretty on a terminal, json elsewhere')
        .choices(logFormats)
        .default('auto'),
    )
    .addHelpText('after', examples)
    .action(async (given: Given) => {
      const { runBot } = await import('../bot/main.js');
      await runBot({
        master: given.master,
        name: given.name,
        workDir: given.workDir ?? join('data', 'bots', given.name),
        slots: given.slots,
        labels: given.label,
        exchangeIntervalMs: given.corpus ? given.corpusInterval : 0,
        isolation: given.isolation,
        ...(given.runUsers && { runUsers: given.runUsers }),
        readable: given.readable,
        log: createLog({ level: given.logLevel, format: given.logFormat }),
      });
    });
}

const examples = `
Examples:
  $ pandafuzz bot
  $ pandafuzz bot --master fuzz.example.org:50051 --slots 16 --label zone=eu
  $ pandafuzz bot --name second --slots 2
  $ pandafuzz bot --isolation full --readable /srv/fuzzing-data

SIGTERM or Ctrl-C stops it within 5 s; a second one stops it at once.`;

/** The machine's name, with characters replaced that a bot's name may not have. */
function defaultName(): string {
  return (
    hostname()
      .replace(/[^A-Za-z0-9._-]/g, '-')
      .slice(0, 128) || 'bot'
  );
}

function botName(text: string): string {
  if (/^[A-Za-z0-9._-]{1,128}$/.test(text) && !/^\.+$/.test(text)) return text;
  throw new InvalidArgumentError("It must be 1 to 128 letters, digits, '.', '_' or '-'.");
}

function slots(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= 1024) return count;
  throw new InvalidArgumentError('It must be a whole number from 1 to 1024.');
}

function userRange(text: string): UserRange {
  const [, first, last] = /^(\d{1,10})-(\d{1,10})$/.exec(text) ?? [];
  const range = { first: Number(first), last: Number(last) };
  if (range.first >= 1 && range.first <= range.last && range.last < 2 ** 32 - 1) return range;
  throw new InvalidArgumentError('It must be FIRST-LAST, such as 70000-70999, without root.');
}

function label(text: string, labels: Record<string, string>): Record<string, string> {
  const [, key, value] = /^([^=]{1,63})=(.{0,256})$/.exec(text) ?? [];
  if (key === undefined || value === undefined) {
    throw new InvalidArgumentError('It must be KEY=VALUE, 63 and 256 characters at most.');
  }
  return { ...labels, [key]: value };
}
