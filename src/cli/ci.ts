import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { durationOption, durationWithin, masterText, projectOption, wholeOption } from './flags.js';
import { limitsOf, submittedBy, type TargetFlags, withTargetOptions } from './target-options.js';

interface Flags extends TargetFlags {
  readonly master?: string;
  readonly timeout: number;
  readonly project?: string;
  readonly targetName?: string;
  readonly change?: string;
  readonly jobs?: number;
  readonly duration: number;
  readonly startWithin: number;
  readonly dir?: string;
  readonly sarif?: string;
  readonly sourceRoot: string;
  readonly json?: boolean;
}

const examples = `
With --master, or PANDAFUZZ_MASTER set, bots of that master fuzz, with the inputs
of the target's corpus. Without, this machine does, as by "pandafuzz fuzz", with
what an earlier run left in --dir.

A crash counts if it is new in this build: no other build met its group, and
nobody else met it before, with this build or another. With --change the builds
of one change count as one: what the first of them brought counts for each.
What people set to wont-fix or ignored does not count; what was fixed and is
back does.

In the folder (--dir, ./fuzz-TARGET if it is left out), made anew by each run:
  new/        a folder for each crash that counts: the input, and report.md

Exit codes: 0 nothing new, 10 new crashes, 11 could not fuzz (it says why, and
writes no SARIF), 64 wrong usage. docs/ci.md has a workflow to copy.

Examples:
  $ pandafuzz ci ./png_fuzzer --duration 10m --sarif out.sarif
  $ pandafuzz ci ./png_fuzzer --master fuzz.internal:50051 --project png
  $ pandafuzz ci ./png_fuzzer --change pull-123 --seeds ./corpus`;

/** `pandafuzz ci`: did this build bring crashes? */
export function ciCommand(): Command {
  return withTargetOptions(new Command('ci'))
    .summary('fuzz a build for a while; fail if it brings new crashes')
    .description('Fuzzes a build for a bounded time, and fails if it brings crashes that are new.')
    .addOption(
      new Option('--master <host:port>', 'where a master listens (default: this machine fuzzes)')
        .env('PANDAFUZZ_MASTER')
        .argParser(masterText),
    )
    .addOption(
      new Option('--timeout <duration>', 'time one call to the master may take')
        .argParser(durationWithin('1ms', '24h'))
        .default(15_000, '15s'),
    )
    .addOption(projectOption('namespace of the target (default: "default")'))
    .option('--target-name <text>', "the target's name across builds (default: its file name)")
    .addOption(
      new Option('--change <name>', 'what the build belongs to, such as pull-123').argParser(
        change,
      ),
    )
    .addOption(durationOption('--duration', 'time to fuzz', '1s', '7d').default(600_000, '10m'))
    .addOption(
      wholeOption(
        '--jobs',
        `runs at once (default: 1 of a master, ${availableParallelism()} here)`,
        1,
        1000,
      ),
    )
    .addOption(
      durationOption('--start-within', 'time for a bot to take the jobs', '1s', '7d').default(
        600_000,
        '10m',
      ),
    )
    .option('--dir <folder>', 'where results are kept (default: ./fuzz-TARGET)')
    .option('--sarif <file>', 'write the new crashes as SARIF 2.1.0; an old file is replaced')
    .addOption(
      new Option(
        '--source-root <folder>',
        'for SARIF: the folder that sources were built in',
      ).default(process.cwd(), 'the current folder'),
    )
    .option('--json', 'the result as JSON, on standard output')
    .addHelpText('after', examples)
    .action(async (_target: unknown, _rest: unknown, flags: Flags, self: Command) => {
      const { submission, spec, name } = submittedBy(flags, self);
      const { master, timeout: timeoutMs } = flags;
      const { ci } = await import('../fuzz/ci.js');
      process.exitCode = await ci({
        ...(master !== undefined && { master: { master, timeoutMs } }),
        change: flags.change,
        durationMs: flags.duration,
        startWithinMs: flags.startWithin,
        folder: flags.dir ?? `fuzz-${basename(name)}`,
        sarif: flags.sarif,
        sourceRoot: flags.sourceRoot,
        json: flags.json ?? false,
        submission: {
          ...submission,
          count: flags.jobs ?? (master === undefined ? availableParallelism() : 1),
          spec: {
            ...spec,
            project: flags.project ?? '',
            targetName: flags.targetName ?? '',
            limits: { ...limitsOf(flags), maxDurationSeconds: 0, maxCrashes: 0 },
          },
        },
      });
    });
}

/** Part of the key of a campaign. */
function change(text: string): string {
  if (/^[\x21-\x7e]{1,100}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be 1 to 100 letters, digits or signs, without spaces.');
}
