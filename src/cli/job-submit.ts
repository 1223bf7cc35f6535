import { Command, Option } from 'commander';
import { submitAndShow } from '../operator/jobs.js';
import type { SubmittedTarget } from '../operator/targets/submitted.js';
import {
  aroundDashes,
  durationOption,
  moment,
  type OperatorFlags,
  pair,
  projectOption,
  several,
  sizeOption,
  wholeOption,
  withOperatorFlags,
} from './flags.js';

interface Flags extends OperatorFlags {
  readonly engine?: string;
  readonly bundle?: string;
  readonly target?: string;
  readonly seeds?: string[];
  readonly dict?: string;
  readonly check: boolean;
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
  readonly project?: string;
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
  readonly failOnCrash?: boolean;
}

const examples = `
Options that are left out have the master's defaults (see jobs in master.yaml).

A bundle is a folder or an archive (.tar, .tar.gz, .zip) with the executable and
what it needs beside it: libraries, data, NAME.dict, NAME.options and
NAME_seed_corpus.zip, as OSS-Fuzz builds them. Of several executables in it name
one. "pandafuzz target import" brings in all of a build output at once.

Targets and dictionaries are looked at before they are sent; --no-check sends
them as they are.

With --wait it exits with 0 if all jobs completed, else with 1. With
--fail-on-crash as well, it exits with 10 if a job found a crash, however the
jobs ended.

Examples:
  $ pandafuzz job submit ./png_fuzzer --seeds ./corpus --duration 1h
  $ pandafuzz job submit ./png_fuzzer --dict png.dict --count 8 --memory 4GiB
  $ pandafuzz job submit --bundle ./out png_fuzzer
  $ pandafuzz job submit --target png_fuzzer --project libpng
  $ pandafuzz job submit ./png_fuzzer --campaign nightly --require-label zone=eu
  $ pandafuzz job submit ./png_fuzzer --wait -- -use_value_profile=1
  $ pandafuzz job submit ./png_fuzzer --duration 10m --wait --fail-on-crash`;

export function jobSubmitCommand(): Command {
  const command = new Command('submit')
    .summary('upload a target and queue jobs for it')
    .description('Uploads a target and its seeds, unless the master has them, and queues jobs.')
    .argument('[target]', 'the executable to fuzz; with --bundle, its path in the bundle')
    .argument('[engine-arguments...]', 'further arguments for the engine, after --')
    .option('--bundle <path>', 'a folder or an archive with the executable in it')
    .option('--target <name>', 'the newest build of a target that the master knows')
    .option('--engine <name>', 'fuzzing engine (default: what the target is built for)')
    .addOption(
      new Option(
        '--seeds <path>',
        'folder, file or archive of seed inputs; may be repeated',
      ).argParser(several),
    )
    .option('--dict <file>', 'dictionary, for engines that take one')
    .option('--no-check', 'send target and dictionary without a look at them')
    .option('--name <text>', 'label of the job, for people')
    .option('--target-name <text>', "the target's name across builds (default: its file name)")
    .addOption(durationOption('--duration', 'time to fuzz', '1s', '30d'))
    .addOption(sizeOption('--memory', 'resident memory of the target', '16MiB', '1TiB'))
    .addOption(durationOption('--input-timeout', 'time one input may take', '1s', '1h'))
    .addOption(sizeOption('--max-input', 'longest input to try', '1B', '1MiB'))
    .addOption(wholeOption('--max-crashes', 'end after this many crashing inputs', 1, 1_000_000))
    .addOption(wholeOption('--max-attempts', 'attempts before it is dead', 1, 100))
    .addOption(
      wholeOption('--priority', 'higher goes first, -1000 to 1000', -1000, 1000).default(0),
    )
    .addOption(
      new Option('--env <key=value>', 'environment of the target; may be repeated').argParser(pair),
    )
    .addOption(projectOption('namespace of the target (default: "default")'))
    .option('--campaign <key>', 'campaign, whose share of the fleet it uses')
    .addOption(
      new Option('--require-label <key=value>', 'label a bot must have; may be repeated').argParser(
        pair,
      ),
    )
    .addOption(sizeOption('--require-memory', 'memory a bot must offer', '1MiB', '1024TiB'))
    .addOption(sizeOption('--require-disk', 'disk a bot must offer', '1MiB', '1024TiB'))
    .addOption(
      new Option('--not-before <time>', 'earliest start, such as 2030-01-31T22:00Z').argParser(
        moment,
      ),
    )
    .addOption(durationOption('--start-within', 'end it if no bot takes it in time', '1s', '365d'))
    .addOption(durationOption('--run-within', 'stop an attempt that takes longer', '1s', '365d'))
    .addOption(durationOption('--end-within', 'end it if it has not ended in time', '1s', '365d'))
    .addOption(wholeOption('--count', 'number of jobs to queue', 1, 10_000).default(1))
    .option('--wait', 'wait for the end; fail unless all jobs completed')
    .option('--fail-on-crash', 'with --wait: exit with 10 if the jobs found crashes')
    .addHelpText('after', examples)
    .action(async (_target: unknown, _rest: unknown, flags: Flags, self: Command) => {
      const { before, behind: engineArguments } = aroundDashes(self.args);
      const target = targetOf(before, flags, self);
      expectNoDict(engineArguments, self);
      if (flags.failOnCrash && !flags.wait) self.error('error: --fail-on-crash goes with --wait');
      const seconds = (ms = 0) => Math.ceil(ms / 1000);
      process.exitCode = await submitAndShow(flags, {
        target,
        seeds: flags.seeds ?? [],
        ...(flags.dict !== undefined && { dictionaryPath: flags.dict }),
        isChecked: flags.check,
        count: flags.count,
        wait: flags.wait ?? false,
        failOnCrash: flags.failOnCrash ?? false,
        spec: {
          engine: flags.engine ?? '',
          name: flags.name ?? '',
          targetName: flags.targetName ?? '',
          arguments: engineArguments,
          environment: flags.env ?? {},
          priority: flags.priority,
          maxAttempts: flags.maxAttempts ?? 0,
          project: flags.project ?? '',
          campaign: flags.campaign ?? '',
          requirements: {
            labels: flags.requireLabel ?? {},
            memoryMib: Math.ceil((flags.requireMemory ?? 0) / 2 ** 20),
            diskMib: Math.ceil((flags.requireDisk ?? 0) / 2 ** 20),
            otherThanBotId: '',
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

/** What is to be fuzzed: one of a file, a bundle and a target's name. */
function targetOf(operands: readonly string[], flags: Flags, command: Command): SubmittedTarget {
  const [operand, more] = operands;
  if (more !== undefined) {
    command.error(`error: unexpected argument '${more}' (the engine's come after --)`);
  }
  if (flags.target !== undefined) {
    if (flags.bundle !== undefined || operand !== undefined) {
      command.error('error: --target names a build that the master has: leave out what to send');
    }
    return { known: flags.target };
  }
  if (flags.bundle !== undefined) return { bundle: flags.bundle, executable: operand ?? '' };
  if (operand !== undefined) return { file: operand };
  return command.error(
    "error: missing required argument 'target': name an executable, --bundle or --target",
  );
}

/** A path of this machine means nothing to a bot. */
function expectNoDict(engineArguments: readonly string[], command: Command): void {
  const flag = engineArguments.find((argument) => /^--?dict=/.test(argument));
  if (flag === undefined) return;
  const path = flag.slice(flag.indexOf('=') + 1);
  command.error(`error: send the dictionary with --dict ${path}, before the --`);
}
