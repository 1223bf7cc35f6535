import { type Command, Option } from 'commander';
import { type IsolationLevel, isolationLevels } from '../core/isolation.js';
import { durationOption, pair, sizeOption, wholeOption } from './flags.js';

/** Limits of one input, and what the target is given. */
export interface InputFlags {
  readonly memory?: number;
  readonly inputTimeout?: number;
  readonly maxInput?: number;
  readonly env?: Record<string, string>;
}

export const withInputOptions = (command: Command): Command =>
  command
    .addOption(sizeOption('--memory', 'resident memory of the target', '16MiB', '1TiB'))
    .addOption(durationOption('--input-timeout', 'time one input may take', '1s', '1h'))
    .addOption(sizeOption('--max-input', 'longest input to try', '1B', '1MiB'))
    .addOption(
      new Option('--env <key=value>', 'environment of the target; may be repeated').argParser(pair),
    );

/** What a bot must have for a run, and what the run may take of it. */
export interface BotFlags {
  readonly requireLabel?: Record<string, string>;
  readonly requireMemory?: number;
  readonly requireDisk?: number;
  readonly isolation?: IsolationLevel;
  readonly maxDisk?: number;
  readonly maxProcesses?: number;
  readonly network?: boolean;
}

export const withBotOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('--require-label <key=value>', 'label a bot must have; may be repeated').argParser(
        pair,
      ),
    )
    .addOption(sizeOption('--require-memory', 'memory a bot must offer', '1MiB', '1024TiB'))
    .addOption(sizeOption('--require-disk', 'disk a bot must offer', '1MiB', '1024TiB'))
    .addOption(
      new Option('--isolation <level>', 'least level at which a bot isolates runs').choices(
        isolationLevels.slice(1),
      ),
    )
    .addOption(sizeOption('--max-disk', "disk space of a run's folder", '16MiB', '1024TiB'))
    .addOption(wholeOption('--max-processes', 'processes of a run at once', 16, 1_000_000))
    .option('--network', 'let the target use the network of its machine');

/** Of milliseconds and bytes as options have them, rounded up; undefined for one left out. */
export const seconds = (ms: number | undefined) => ms && Math.ceil(ms / 1000);
export const mib = (bytes: number | undefined) => bytes && Math.ceil(bytes / 2 ** 20);
