import { Command, Option } from 'commander';
import { isolationNumber } from '../core/isolation.js';
import { submitAndShow } from '../operator/jobs.js';
import {
  durationOption,
  moment,
  type OperatorFlags,
  projectOption,
  wholeOption,
  withOperatorFlags,
} from './flags.js';
import { type BotFlags, mib, seconds, withBotOptions } from './run-options.js';
import { limitsOf, submittedBy, type TargetFlags, withTargetOptions } from './target-options.js';

interface Flags extends OperatorFlags, TargetFlags, BotFlags {
  readonly name?: string;
  readonly targetName?: string;
  readonly duration?: number;
  readonly maxCrashes?: number;
  readonly maxAttempts?: number;
  readonly priority: number;
  readonly project?: string;
  readonly campaign?: string;
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
    .option('--campaign <key>', 'campaign, whose share of the fleet it uses');
  withBotOptions(command)
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
            memoryMib: mib(flags.requireMemory) ?? 0,
            diskMib: mib(flags.requireDisk) ?? 0,
            otherThanBotId: '',
            isolation: flags.isolation && isolationNumber(flags.isolation),
          },
          notBefore: flags.notBefore,
          timeouts: {
            scheduleToStartSeconds: seconds(flags.startWithin) ?? 0,
            startToCloseSeconds: seconds(flags.runWithin) ?? 0,
            scheduleToCloseSeconds: seconds(flags.endWithin) ?? 0,
          },
          limits: {
            maxDurationSeconds: seconds(flags.duration) ?? 0,
            ...limitsOf(flags),
            maxCrashes: flags.maxCrashes ?? 0,
            maxDiskMib: mib(flags.maxDisk),
            maxProcesses: flags.maxProcesses,
            network: flags.network,
          },
        },
      });
    });
  return withOperatorFlags(command);
}
