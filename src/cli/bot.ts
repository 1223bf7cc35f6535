import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { z } from 'zod';
import { type BotConfig, botName, slots } from '../config/bot-schema.js';
import { givenTls } from '../config/caller-tls.js';
import { loadBotConfig } from '../config/load.js';
import { formatAddress } from '../config/quantities.js';
import { givenToken } from '../config/token.js';
import { type IsolationWish, isolationWishes } from '../core/isolation.js';
import { createLog, type LogOptions, logFormats, logLevels } from '../core/log.js';
import { LogTail } from '../core/log-tail.js';
import { readUserRange, type UserRange } from '../core/user-range.js';
import { defaultMaster, durationOption, masterText, sizeOption, withTlsOptions } from './flags.js';
import { thenEnd } from './left-behind.js';

/** Of its own log, a bot keeps as much in memory for the master to read, bytes. */
const ownLogBytes = 64 * 1024;

/** What was given on the command line: it wins over the environment, and that over the file. */
interface Given {
  readonly config?: string;
  readonly master?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly name?: string;
  readonly workDir?: string;
  readonly slots?: number;
  readonly label?: Record<string, string>;
  /** Milliseconds. */
  readonly corpusInterval?: number;
  readonly corpus: boolean;
  readonly sync?: 'normal' | 'fast';
  /** Bytes. */
  readonly corpusCache?: number;
  readonly isolation?: IsolationWish;
  readonly runUsers?: UserRange;
  readonly readable?: string[];
  readonly logLevel?: LogOptions['level'];
  readonly logFormat?: LogOptions['format'];
}

/** `pandafuzz bot`: the agent, as its default action. */
export function botCommand(): Command {
  const command = new Command('bot')
    .summary('run a bot: take jobs from a master and fuzz')
    .description(
      'Runs a bot: connects to a master, takes jobs, fuzzes, and reports crashes and statistics.\n' +
        'It keeps fuzzing while the master is away, and keeps crashes on disk until they are acknowledged.\n\n' +
        'Every option is also a key of the file (--work-dir is work_dir) and a variable\n' +
        '(PANDAFUZZ_BOT_WORK_DIR). Options win over variables, and those over the file.',
    )
    .option('-c, --config <file>', 'settings (bot.yaml lists them all)')
    .addOption(
      new Option(
        '--master <host:port>',
        `where the master listens (default: ${defaultMaster})`,
      ).argParser(masterText),
    )
    .option(
      '--token-file <file>',
      'file with the token to call with, or to exchange for one; or PANDAFUZZ_TOKEN',
    );
  return withTlsOptions(command)
    .addOption(
      new Option(
        '--name <name>',
        `name of the bot, unique in the fleet (default: ${defaultName()})`,
      ).argParser(bySchema(botName)),
    )
    .option('--work-dir <folder>', 'folder for this bot only (default: ./data/bots/<name>)')
    .addOption(
      new Option(
        '--slots <number>',
        `jobs to run at once, 1 to 1024 (default: ${availableParallelism()}, one for each core)`,
      ).argParser((text) => readSlots(text)),
    )
    .addOption(
      new Option(
        '--label <key=value>',
        'label of the bot, for jobs that require it; may be repeated',
      ).argParser(label),
    )
    .addOption(
      durationOption(
        '--corpus-interval',
        'time between exchanges of inputs with other bots (default: 1m)',
        '1s',
        '24h',
      ),
    )
    .addOption(
      new Option('--sync <speed>', 'the same in a word: normal is 1m, fast is 10s')
        .choices(['normal', 'fast'])
        .conflicts('corpusInterval'),
    )
    .addOption(
      sizeOption(
        '--corpus-cache',
        'disk for corpora of earlier runs, which later ones begin with (default: 4GiB)',
        '0B',
        '1024TiB',
      ),
    )
    .option('--no-corpus', 'neither send inputs to other bots nor receive theirs')
    .addOption(
      new Option(
        '--isolation <level>',
        'how runs are kept apart: auto takes the best that works, any other level must work (default: auto)',
      ).choices(isolationWishes),
    )
    .addOption(
      new Option(
        '--run-users <first-last>',
        'user ids for runs, one each, where the bot is root (default: 70000-70999)',
      ).argParser(userRange),
    )
    .addOption(
      new Option(
        '--readable <path>',
        'what runs may read besides the system; may be repeated',
      ).argParser((path: string, before: string[] = []) => [...before, path]),
    )
    .addOption(
      new Option('--log-level <level>', 'lowest level to log (default: info)').choices(logLevels),
    )
    .addOption(
      new Option(
        '--log-format <format>',
        'pretty, json, or auto: pretty on a terminal, json elsewhere (default: auto)',
      ).choices(logFormats),
    )
    .addHelpText('after', examples)
    .action(async (given: Given) => {
      const options = optionsOf(given, process.env);
      // No program that the bot starts is to have it.
      delete process.env['PANDAFUZZ_TOKEN'];
      const { runBot } = await import('../bot/main.js');
      await thenEnd(runBot(options));
    });
}

/** How fast inputs are to be with the others for `--sync fast`, milliseconds. */
const fastMs = 10_000;
/** An input waits for its bot to send it, and then for another bot to fetch it. */
const exchangesInTime = 2.5;

/** Milliseconds between two exchanges. */
const exchangeEvery = ({ sync, corpusInterval }: Given, config: BotConfig): number => {
  const wanted = sync ?? (corpusInterval === undefined ? config.sync : 'normal');
  const arriveMs = wanted === 'fast' ? fastMs : (corpusInterval ?? config.corpus_interval);
  return Math.ceil(arriveMs / exchangesInTime);
};

const examples = `
Examples:
  $ pandafuzz bot
  $ pandafuzz bot --config bot.yaml
  $ pandafuzz bot --master fuzz.example.org:50051 --slots 16 --label zone=eu
  $ pandafuzz bot --master fuzz.example.org:50051 --ca ca.crt --token-file enrol.token
  $ pandafuzz bot --name second --slots 2
  $ pandafuzz bot --isolation full --readable /srv/fuzzing-data

SIGTERM, SIGHUP or Ctrl-C stops it within 5 s; a second SIGTERM or Ctrl-C stops it at once.`;

/** @throws UserError for a wrong setting of the file or the environment */
function optionsOf(given: Given, environment: NodeJS.ProcessEnv) {
  const { config: file } = given;
  const config = loadBotConfig({ environment, ...(file !== undefined && { file }) });
  const name = given.name ?? (config.name || defaultName());
  const ownLog = new LogTail(ownLogBytes);
  const exchanges = given.corpus && config.corpus === 'on';
  const runUsers = given.runUsers ?? readUserRange(config.run_users);
  return {
    master: given.master ?? config.master.map(formatAddress).join(','),
    token: givenToken(given.tokenFile ?? config.token_file, environment),
    tls: givenTls(
      { ca: given.ca ?? config.ca, cert: given.cert ?? config.cert, key: given.key ?? config.key },
      environment,
    ),
    name,
    workDir: given.workDir ?? (config.work_dir || join('data', 'bots', name)),
    slots: given.slots ?? (config.slots || availableParallelism()),
    labels: { ...config.labels, ...given.label },
    exchangeIntervalMs: exchanges ? exchangeEvery(given, config) : 0,
    corpusCacheBytes: given.corpusCache ?? config.corpus_cache,
    isolation: given.isolation ?? config.isolation,
    ...(runUsers && { runUsers }),
    readable: [...config.readable, ...(given.readable ?? [])],
    log: createLog(
      {
        level: given.logLevel ?? config.log_level,
        format: given.logFormat ?? config.log_format,
      },
      (line) => ownLog.push(Buffer.from(line)),
    ),
    ownLog,
  };
}

/** The machine's name, with characters replaced that a bot's name may not have. */
function defaultName(): string {
  const name = hostname()
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 128);
  return botName.safeParse(name).success ? name : 'bot';
}

/** Reads a word by a setting's schema, whose problem follows "It ". */
function bySchema<Value>(schema: z.ZodType<Value>) {
  return (word: unknown): Value => {
    const result = schema.safeParse(word);
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    throw new InvalidArgumentError(`It ${issue?.message ?? 'cannot be read'}.`);
  };
}

function readSlots(text: string): number {
  return bySchema(slots)(/^\d+$/.test(text) ? Number(text) : text);
}

function userRange(text: string): UserRange {
  const range = readUserRange(text);
  if (range) return range;
  throw new InvalidArgumentError('It must be FIRST-LAST, such as 70000-70999, without root.');
}

function label(text: string, labels: Record<string, string> = {}): Record<string, string> {
  const [, key, value] = /^([^=]{1,63})=(.{0,256})$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) {
    throw new InvalidArgumentError('It must be KEY=VALUE, 63 and 256 characters at most.');
  }
  return { ...labels, [key]: value };
}
