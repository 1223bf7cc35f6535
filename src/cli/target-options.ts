import { type Command, Option } from 'commander';
import type { Submission } from '../operator/submit.js';
import type { SubmittedTarget } from '../operator/targets/submitted.js';
import { aroundDashes, several } from './flags.js';
import { type InputFlags, mib, seconds, withInputOptions } from './run-options.js';

/** What is fuzzed, and within which limits: the same options of every command that fuzzes. */
export interface TargetFlags extends InputFlags {
  readonly bundle?: string;
  /** Only of commands that take a build that the master has. */
  readonly target?: string;
  readonly engine?: string;
  readonly seeds?: string[];
  readonly dict?: string;
  readonly check: boolean;
}

export function withTargetOptions(command: Command): Command {
  command
    .argument('[target]', 'the executable to fuzz; with --bundle, its path in the bundle')
    .argument('[engine-arguments...]', 'further arguments for the engine, after --')
    .option('--bundle <path>', 'a folder or an archive with the executable in it')
    .option('--engine <name>', 'fuzzing engine (default: what the target is built for)')
    .addOption(
      new Option(
        '--seeds <path>',
        'folder, file or archive of seed inputs; may be repeated',
      ).argParser(several),
    )
    .option('--dict <file>', 'dictionary, for engines that take one')
    .option('--no-check', 'take target and dictionary without a look at them');
  return withInputOptions(command);
}

/** Of a command's line: the target, and what goes with it. Ends the command for wrong usage. */
export function submittedBy(flags: TargetFlags, command: Command) {
  const { before, behind } = aroundDashes(command.args);
  const target = targetOf(before, flags, command);
  expectNoDict(behind, command);
  const submission: Omit<Submission, 'count' | 'spec'> = {
    target,
    seeds: flags.seeds ?? [],
    ...(flags.dict !== undefined && { dictionaryPath: flags.dict }),
    isChecked: flags.check,
  };
  const spec = {
    engine: flags.engine ?? '',
    arguments: behind,
    environment: flags.env ?? {},
  };
  return { submission, spec, name: nameOf(target) };
}

/** Zero means the master's default. */
export const limitsOf = (flags: TargetFlags) => ({
  maxMemoryMib: mib(flags.memory) ?? 0,
  inputTimeoutSeconds: seconds(flags.inputTimeout) ?? 0,
  maxInputBytes: flags.maxInput ?? 0,
});

/** As people call it: the file, or the bundle where it names no executable. */
function nameOf(target: SubmittedTarget): string {
  if ('known' in target) return target.known;
  return 'file' in target ? target.file : target.executable || target.bundle;
}

/** What is to be fuzzed: one of a file, a bundle and a target's name. */
function targetOf(
  operands: readonly string[],
  flags: TargetFlags,
  command: Command,
): SubmittedTarget {
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
  const takesKnown = command.options.some(({ long }) => long === '--target');
  const ways = takesKnown ? 'an executable, --bundle or --target' : 'an executable or --bundle';
  return command.error(`error: missing required argument 'target': name ${ways}`);
}

/** A path of this machine means nothing to a bot. */
export function expectNoDict(engineArguments: readonly string[], command: Command): void {
  const flag = engineArguments.find((argument) => /^--?dict=/.test(argument));
  if (flag === undefined) return;
  const path = flag.slice(flag.indexOf('=') + 1);
  command.error(`error: send the dictionary with --dict ${path}, before the --`);
}
