import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { quoted } from '../operator/crashes/replay.js';
import type { SubmittedTarget } from '../operator/targets/submitted.js';
import { aroundDashes, durationOption, pair, several, sizeOption, wholeOption } from './flags.js';

interface Flags {
  readonly bundle?: string;
  readonly seeds?: string[];
  readonly dict?: string;
  readonly check: boolean;
  readonly engine?: string;
  readonly jobs?: number;
  readonly duration?: number;
  readonly dir?: string;
  readonly memory?: number;
  readonly inputTimeout?: number;
  readonly maxInput?: number;
  readonly env?: Record<string, string>;
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
  return new Command('fuzz')
    .summary('fuzz one target on this machine, with nothing to set up')
    .description(
      'Fuzzes a target on this machine until Ctrl-C, and keeps what it finds in a folder.',
    )
    .argument('[target]', 'the executable to fuzz; with --bundle, its path in the bundle')
    .argument('[engine-arguments...]', 'further arguments for the engine, after --')
    .option('--bundle <path>', 'a folder or an archive with the executable in it')
    .addOption(
      new Option(
        '--seeds <path>',
        'folder, file or archive of seed inputs; may be repeated',
      ).argParser(several),
    )
    .option('--dict <file>', 'dictionary, for engines that take one')
    .option('--no-check', 'take target and dictionary without a look at them')
    .option('--engine <name>', 'fuzzing engine (default: what the target is built for)')
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
    .addOption(sizeOption('--memory', 'resident memory of the target', '16MiB', '1TiB'))
    .addOption(durationOption('--input-timeout', 'time one input may take', '1s', '1h'))
    .addOption(sizeOption('--max-input', 'longest input to try', '1B', '1MiB'))
    .addOption(
      new Option('--env <key=value>', 'environment of the target; may be repeated').argParser(pair),
    )
    .option('--fail-on-crash', 'exit with 10 if bugs are known at the end')
    .option('--json', 'the result as JSON, on standard output')
    .addHelpText('after', examples)
    .action(async (_target: unknown, _rest: unknown, flags: Flags, self: Command) => {
      const { before, behind: engineArguments } = aroundDashes(self.args);
      const target = targetOf(before, flags, self);
      const name = 'file' in target ? target.file : before[0] || (flags.bundle ?? '');
      // Loaded here, so that other commands start without the modules of master and bot.
      const { fuzz } = await import('../fuzz/fuzz.js');
      process.exitCode = await fuzz({
        target: before[0] ?? `--bundle ${flags.bundle}`,
        command: ['pandafuzz', ...process.argv.slice(2).map(quoted)].join(' '),
        folder: flags.dir ?? `fuzz-${basename(name)}`,
        durationMs: flags.duration,
        failOnCrash: flags.failOnCrash ?? false,
        json: flags.json ?? false,
        submission: {
          target,
          seeds: flags.seeds ?? [],
          ...(flags.dict !== undefined && { dictionaryPath: flags.dict }),
          isChecked: flags.check,
          count: flags.jobs ?? availableParallelism(),
          spec: {
            engine: flags.engine ?? '',
            arguments: engineArguments,
            environment: flags.env ?? {},
            limits: {
              maxDurationSeconds: 0,
              maxMemoryMib: Math.ceil((flags.memory ?? 0) / 2 ** 20),
              inputTimeoutSeconds: Math.ceil((flags.inputTimeout ?? 0) / 1000),
              maxInputBytes: flags.maxInput ?? 0,
              maxCrashes: 0,
            },
          },
        },
      });
    });
}

function targetOf(operands: readonly string[], flags: Flags, command: Command): SubmittedTarget {
  const [operand, more] = operands;
  if (more !== undefined) {
    command.error(`error: unexpected argument '${more}' (the engine's come after --)`);
  }
  if (flags.bundle !== undefined) return { bundle: flags.bundle, executable: operand ?? '' };
  if (operand !== undefined) return { file: operand };
  return command.error("error: missing required argument 'target': name an executable or --bundle");
}
