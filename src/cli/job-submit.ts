import { Command, Option } from 'commander';
import { type IsolationLevel, isolationLevels, isolationNumber } from '../core/isolation.js';
import { submitAndShow } from '../operator/jobs.js';
import {
  durationOption,
  moment,
  type OperatorFlags,
  pair,
  projectOption,
  sizeOption,
  wholeOption,
  withOperatorFlags,
} from './flags.js';
import { limitsOf, submittedBy, type TargetFlags, withTargetOptions } from './target-options.js';

interface Flags extends OperatorFlags, TargetFlags {
  readonly name?: string;
  readonly targetName?: string;
  readonly duration?: number;
  readonly maxCrashes?: number;
  readonly maxAttempts?: number;
  readonly priority: number;
  readonly project?: string;
  readonly campaign?: string;
  readonly requireLabel?: Record<string, string>;
  readonly requireMemory?: number;
  readonly requireDisk?: number;
  readonly isolation?: IsolationLevel;
  readonly maxDisk?: number;
  readonly maxProcesses?: number;
  readonly network?: boolean;
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
  $ pandafuzz job submit ./png_fuzzer --isolation full --max-disk 1GiB
  $ pandafuzz job submit ./png_afl --seeds ./corpus -- --in @@
  $ pandafuzz job submit ./png_fuzzer --campaign nightly --require-label zone=eu
  $ pandafuzz job submit ./png_fuzzer --wait -- -use_value_profile=1
  $ pandafuzz job submit ./png_fuzzer --duration 10m --wait --fail-on-crash`;

export function jobSubmitCommand(): Command {
  const command = withTargetOptions(new Command('submit'))
    .summary('upload a target and queue jobs for it')
    .description('Uploads a target and its seeds, unless the master has them, and queues jobs.')
    .option('--target <name>', 'the newest build of a target that the master knows')
    .option('--name <text>', 'label of the job, for people')
    .option('--target-name <text>', "the target's name across builds (default: its file name)")
    .addOption(durationOption('--duration', 'time to fuzz', '1s', '30d'))
    .addOption(wholeOption('--max-crashes', 'end after this many crashing inputs', 1, 1_000_000))
    .addOption(wholeOption('--max-attempts', 'attempts before it is dead', 1, 100))
    .addOption(
      wholeOption('--priority', 'higher goes first, -1000 to 1000', -1000, 1000).default(0),
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
      new Option('--isolation <level>', 'least level at which a bot isolates runs').choices(
        isolationLevels.slice(1),
      ),
    )
    .addOption(sizeOption('--max-disk', "disk space of a run's folder", '16MiB', '1024TiB'))
    .addOption(wholeOption('--max-processes', 'processes of a run at once', 16, 1_000_000))
    .option('--network', 'let the target use the network of its machine')
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
      const { submission, spec } = submittedBy(flags, self);
      if (flags.failOnCrash && !flags.wait) self.error('error: --fail-on-crash goes with --wait');
      const seconds = (ms = 0) => Math.ceil(ms / 1000);
      process.exitCode = await submitAndShow(flags, {
        ...submission,
        count: flags.count,
        wait: flags.wait ?? false,
        failOnCrash: flags.failOnCrash ?? false,
        spec: {
          ...spec,
          name: flags.name ?? '',
          targetName: flags.targetName ?? '',
          priority: flags.priority,
          maxAttempts: flags.maxAttempts ?? 0,
          project: flags.project ?? '',
          campaign: flags.campaign ?? '',
          requirements: {
            labels: flags.requireLabel ?? {},
            memoryMib: Math.ceil((flags.requireMemory ?? 0) / 2 ** 20),
            diskMib: Math.ceil((flags.requireDisk ?? 0) / 2 ** 20),
            otherThanBotId: '',
            isolation: flags.isolation && isolationNumber(flags.isolation),
          },
          notBefore: flags.notBefore,
          timeouts: {
            scheduleToStartSeconds: seconds(flags.startWithin),
            startToCloseSeconds: seconds(flags.runWithin),
            scheduleToCloseSeconds: seconds(flags.endWithin),
          },
          limits: {
            maxDurationSeconds: seconds(flags.duration),
            ...limitsOf(flags),
            maxCrashes: flags.maxCrashes ?? 0,
            maxDiskMib: flags.maxDisk && Math.ceil(flags.maxDisk / 2 ** 20),
            maxProcesses: flags.maxProcesses,
            network: flags.network,
          },
        },
      });
    });
  return withOperatorFlags(command);
}
