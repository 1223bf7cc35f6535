import { Command, Option } from 'commander';
import { submitAndShow } from '../operator/jobs.js';
import {
  durationWithin,
  expectAfterDashes,
  moment,
  type OperatorFlags,
  pair,
  sizeWithin,
  wholeWithin,
  withOperatorFlags,
} from './flags.js';

interface Flags extends OperatorFlags {
  readonly engine: string;
  readonly seeds?: string;
  readonly name?: string;
  readonly targetName?: string;
  readonly duration?: number;
  readonly memory?: number;
  readonly inputTimeout?: number;
  readonly maxInput?: number;
  readonly maxCrashes?: number;
  readonly maxAttempts?: number;
  readonly priority: number;
  readonly env?: Record<string, string>;
  readonly campaign?: string;
  readonly requireLabel?: Record<string, string>;
  readonly requireMemory?: number;
  readonly requireDisk?: number;
  readonly notBefore?: Date;
  readonly startWithin?: number;
  readonly runWithin?: number;
  readonly endWithin?: number;
  readonly count: number;
  readonly wait?: boolean;
}

const examples = `
What is left out, the master decides (see jobs in master.yaml).

Examples:
  $ pandafuzz job submit ./png_fuzzer --seeds ./corpus --duration 1h
  $ pandafuzz job submit ./png_fuzzer --count 8 --memory 4GiB
  $ pandafuzz job submit ./png_fuzzer --campaign nightly --require-label zone=eu
  $ pandafuzz job submit ./png_fuzzer --wait -- -dict=png.dict -use_value_profile=1`;

export function jobSubmitCommand(): Command {
  const command = new Command('submit')
    .summary('upload a target and queue jobs for it')
    .description('Uploads a target and its seeds, unless the master has them, and queues jobs.')
    .argument('<target>', 'the executable to fuzz, built for the engine')
    .argument('[engine-arguments...]', 'further arguments for the engine, after --')
    .option('--engine <name>', 'fuzzing engine', 'libfuzzer')
    .option('--seeds <folder>', 'folder of seed inputs')
    .option('--name <text>', 'label of the job, for people')
    .option('--target-name <text>', "the target's name across builds (default: its file name)")
    .addOption(
      new Option('--duration <duration>', 'time to fuzz').argParser(durationWithin('1s', '30d')),
    )
    .addOption(
      new Option('--memory <size>', 'resident memory of the target').argParser(
        sizeWithin('16MiB', '1TiB'),
      ),
    )
    .addOption(
      new Option('--input-timeout <duration>', 'time one input may take').argParser(
        durationWithin('1s', '1h'),
      ),
    )
    .addOption(
      new Option('--max-input <size>', 'longest input to try').argParser(sizeWithin('1B', '1MiB')),
    )
    .addOption(
      new Option('--max-crashes <number>', 'end after this many crashing inputs').argParser(
        wholeWithin(1, 1_000_000),
      ),
    )
    .addOption(
      new Option('--max-attempts <number>', 'attempts before it is dead').argParser(
        wholeWithin(1, 100),
      ),
    )
    .addOption(
      new Option('--priority <number>', 'higher goes first, -1000 to 1000')
        .argParser(wholeWithin(-1000, 1000))
        .default(0),
    )
    .addOption(
      new Option('--env <key=value>', 'environment of the target; may be repeated').argParser(pair),
    )
    .option('--campaign <key>', 'whose share of the fleet it runs on')
    .addOption(
      new Option('--require-label <key=value>', 'label a bot must have; may be repeated').argParser(
        pair,
      ),
    )
    .addOption(
      new Option('--require-memory <size>', 'memory a bot must offer').argParser(
        sizeWithin('1MiB', '1024TiB'),
      ),
    )
    .addOption(
      new Option('--require-disk <size>', 'disk a bot must offer').argParser(
        sizeWithin('1MiB', '1024TiB'),
      ),
    )
    .addOption(
      new Option('--not-before <time>', 'earliest start, such as 2030-01-31T22:00Z').argParser(
        moment,
      ),
    )
    .addOption(
      new Option('--start-within <duration>', 'give it up if no bot takes it in time').argParser(
        durationWithin('1s', '365d'),
      ),
    )
    .addOption(
      new Option('--run-within <duration>', 'stop an attempt that takes longer').argParser(
        durationWithin('1s', '365d'),
      ),
    )
    .addOption(
      new Option('--end-within <duration>', 'give it up if it is not over in time').argParser(
        durationWithin('1s', '365d'),
      ),
    )
    .addOption(
      new Option('--count <number>', 'jobs to queue, each of its own')
        .argParser(wholeWithin(1, 10_000))
        .default(1),
    )
    .option('--wait', 'wait until they have ended; fails unless all completed')
    .addHelpText('after', examples)
    .action(async (target: string, engineArguments: string[], flags: Flags, self: Command) => {
      expectAfterDashes(self, engineArguments);
      const seconds = (ms = 0) => Math.ceil(ms / 1000);
      process.exitCode = await submitAndShow(flags, {
        targetPath: target,
        ...(flags.seeds !== undefined && { seedsPath: flags.seeds }),
        count: flags.count,
        wait: flags.wait,
        spec: {
          engine: flags.engine,
          name: flags.name ?? '',
          targetName: flags.targetName ?? '',
          arguments: engineArguments,
          environment: flags.env ?? {},
          priority: flags.priority,
          maxAttempts: flags.maxAttempts ?? 0,
          campaign: flags.campaign ?? '',
          requirements: {
            labels: flags.requireLabel ?? {},
            memoryMib: Math.ceil((flags.requireMemory ?? 0) / 2 ** 20),
            diskMib: Math.ceil((flags.requireDisk ?? 0) / 2 ** 20),
          },
          notBefore: flags.notBefore,
          timeouts: {
            scheduleToStartSeconds: seconds(flags.startWithin),
            startToCloseSeconds: seconds(flags.runWithin),
            scheduleToCloseSeconds: seconds(flags.endWithin),
          },
          limits: {
            maxDurationSeconds: seconds(flags.duration),
            maxMemoryMib: Math.ceil((flags.memory ?? 0) / 2 ** 20),
            inputTimeoutSeconds: seconds(flags.inputTimeout),
            maxInputBytes: flags.maxInput ?? 0,
            maxCrashes: flags.maxCrashes ?? 0,
          },
        },
      });
    });
  return withOperatorFlags(command);
}
