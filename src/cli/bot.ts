import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { botName, slots } from '../config/bot-schema.js';
import { loadBotConfig } from '../config/load.js';
import { formatAddress } from '../config/units.js';
import { createLog, type LogOptions, logFormats, logLevels } from '../core/log.js';
import { LogTail } from '../core/log-tail.js';
import { defaultMaster, durationOption, masterText, reader } from './flags.js';

/** Of its own log, a bot keeps as much in memory for the master to read, bytes. */
const ownLogBytes = 64 * 1024;

/** What was given on the command line: it wins over the environment, and that over the file. */
interface Given {
  readonly config?: string;
  readonly master?: string;
  readonly name?: string;
  readonly workDir?: string;
  readonly slots?: number;
  readonly label?: Record<string, string>;
  /** Milliseconds. */
  readonly corpusInterval?: number;
  readonly corpus: boolean;
  readonly logLevel?: LogOptions['level'];
  readonly logFormat?: LogOptions['format'];
}

/** `pandafuzz bot`: the agent, as its default action. */
export function botCommand(): Command {
  return new Command('bot')
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
    .addOption(
      new Option(
        '--name <name>',
        `name of the bot, unique in the fleet (default: ${defaultName()})`,
      ).argParser(reader(botName)),
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
    .option('--no-corpus', 'neither send inputs to other bots nor receive theirs')
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
      const { runBot } = await import('../bot/main.js');
      await runBot(options);
    });
}

const examples = `
Examples:
  $ pandafuzz bot
  $ pandafuzz bot --config bot.yaml
  $ pandafuzz bot --master fuzz.example.org:50051 --slots 16 --label zone=eu
  $ pandafuzz bot --name second --slots 2

SIGTERM, SIGHUP or Ctrl-C stops it within 5 s; a second SIGTERM or Ctrl-C stops it at once.`;

/** @throws UserError for a wrong setting of the file or the environment */
function optionsOf(given: Given, environment: NodeJS.ProcessEnv) {
  const { config: file } = given;
  const config = loadBotConfig({ environment, ...(file !== undefined && { file }) });
  const name = given.name ?? (config.name || defaultName());
  const ownLog = new LogTail(ownLogBytes);
  const exchanges = given.corpus && config.corpus === 'on';
  return {
    master: given.master ?? formatAddress(config.master),
    name,
    workDir: given.workDir ?? (config.work_dir || join('data', 'bots', name)),
    slots: given.slots ?? (config.slots || availableParallelism()),
    labels: { ...config.labels, ...given.label },
    exchangeIntervalMs: exchanges ? (given.corpusInterval ?? config.corpus_interval) : 0,
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

function readSlots(text: string): number {
  return reader(slots)(/^\d+$/.test(text) ? Number(text) : text);
}

function label(text: string, labels: Record<string, string> = {}): Record<string, string> {
  const [, key, value] = /^([^=]{1,63})=(.{0,256})$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) {
    throw new InvalidArgumentError('It must be KEY=VALUE, 63 and 256 characters at most.');
  }
  return { ...labels, [key]: value };
}
