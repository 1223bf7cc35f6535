import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { Command } from 'commander';
import { quoted } from '../core/replay.js';
import { durationOption, wholeOption } from './flags.js';
import { thenEnd } from './left-behind.js';
import { limitsOf, submittedBy, type TargetFlags, withTargetOptions } from './target-options.js';

interface Flags extends TargetFlags {
  readonly jobs?: number;
  readonly duration?: number;
  readonly dir?: string;
  readonly failOnCrash?: boolean;
  readonly json?: boolean;
}

const examples = `
One command on one machine: it has a master and a bot of its own, on free ports,
and needs neither of yours. Ctrl-C ends it; it then says what was found, and how
to go on. Run it again with the same --dir, and it goes on with the inputs and
bugs that are kept there.

In the folder (--dir, ./fuzz-TARGET if it is left out):
  crashes/    a folder for each bug: the input, and report.md
  master/     the database and all inputs, as a master keeps them
  bot/        where the engine works
  pandafuzz.log

Exit codes: 0 it has fuzzed, 10 with --fail-on-crash: bugs are known,
1 nothing could be fuzzed.

Examples:
  $ pandafuzz fuzz ./png_fuzzer
  $ pandafuzz fuzz ./png_fuzzer --seeds ./corpus --dict png.dict --jobs 4
  $ pandafuzz fuzz --bundle ./out png_fuzzer --duration 1h
  $ pandafuzz fuzz ./png_afl --seeds ./corpus -- --in @@
  $ pandafuzz fuzz ./png_fuzzer --duration 10m --fail-on-crash --json`;

/** `pandafuzz fuzz`: one target on one machine, without anything set up. */
export function fuzzCommand(): Command {
  return withTargetOptions(new Command('fuzz'))
    .summary('fuzz one target on this machine, with nothing to set up')
    .description(
      'Fuzzes a target on this machine until Ctrl-C, and keeps what it finds in a folder.',
    )
    .addOption(
      wholeOption(
        '--jobs',
        `runs at once (default: ${availableParallelism()}, one for each core)`,
        1,
        1023,
      ),
    )
    .addOption(durationOption('--duration', 'time to fuzz (default: until Ctrl-C)', '1s', '30d'))
    .option('--dir <folder>', 'where all is kept (default: ./fuzz-TARGET)')
    .option('--fail-on-crash', 'exit with 10 if bugs are known at the end')
    .option('--json', 'the result as JSON, on standard output')
    .addHelpText('after', examples)
    .action(async (_target: unknown, _rest: unknown, flags: Flags, self: Command) => {
      const { submission, spec, name } = submittedBy(flags, self);
      // Loaded here, so that other commands start without the modules of master and bot.
      const { fuzz } = await import('../fuzz/fuzz.js');
      const fuzzing = fuzz({
        target: name,
        command: ['pandafuzz', ...process.argv.slice(2).map(quoted)].join(' '),
        folder: flags.dir ?? `fuzz-${basename(name)}`,
        durationMs: flags.duration,
        failOnCrash: flags.failOnCrash ?? false,
        json: flags.json ?? false,
        submission: {
          ...submission,
          count: flags.jobs ?? availableParallelism(),
          spec: { ...spec, limits: { ...limitsOf(flags), maxDurationSeconds: 0, maxCrashes: 0 } },
        },
      });
      process.exitCode = await thenEnd(fuzzing);
    });
}
