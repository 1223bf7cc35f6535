import type { JobSpec } from '../../../gen/pandafuzz/v1/job.js';

/** Options of afl-fuzz that jobs may give, as they only change how it fuzzes. */
const switches = new Set(['D', 'Z']);
const withValue = new Set(['E', 'G', 'L', 'e', 'g', 'l', 'p', 's', 't', 'x']);

/** More would wait for each other's finds longer than they save. */
const mostInstances = 64;

/** Tuning of afl-fuzz by environment that jobs may give; the others change what the bot relies on. */
const variables = new Set([
  'AFL_CMPLOG_ONLY_NEW',
  'AFL_CRASH_EXITCODE',
  'AFL_DISABLE_TRIM',
  'AFL_EXPAND_HAVOC_NOW',
  'AFL_FAST_CAL',
  'AFL_KEEP_TIMEOUTS',
  'AFL_MAP_SIZE',
]);

/** A job's arguments, taken apart. */
export interface AflArguments {
  /** Processes of afl-fuzz, the main one included. */
  readonly instances: number;
  /** For afl-fuzz, each value in an argument of its own. */
  readonly options: readonly string[];
  /** For the target; "@@" stands for the file with the input. */
  readonly target: readonly string[];
}

/**
 * Reads "OPTIONS… [--] TARGET-ARGUMENTS…": options of afl-fuzz and --instances=N come first;
 * from "--", or from the first argument that is no option, all is for the target.
 *
 * @returns a text for the job's author where something cannot be taken
 */
export function readArguments({
  arguments: given,
}: Pick<JobSpec, 'arguments'>): AflArguments | string {
  const options: string[] = [];
  let instances = 1;
  let at = 0;
  for (; at < given.length; at++) {
    const argument = given[at] as string;
    if (argument === '--') return { instances, options, target: given.slice(at + 1) };
    const [, count] = /^--instances=(.*)$/.exec(argument) ?? [];
    const [, letter = '', value = ''] = /^-([A-Za-z])(.*)$/s.exec(argument) ?? [];
    if (count !== undefined) {
      instances = /^\d{1,3}$/.test(count) ? Number(count) : 0;
      if (instances < 1 || instances > mostInstances) {
        return `--instances must be a whole number from 1 to ${mostInstances}`;
      }
    } else if (!argument.startsWith('-')) break;
    else if (switches.has(letter) && value === '') options.push(argument);
    else if (withValue.has(letter)) {
      const next = value === '' ? given[++at] : value;
      if (next === undefined) return `the option -${letter} of afl-fuzz needs a value`;
      if (letter === 'x' && isOutside(next)) {
        return 'the dictionary of -x must be a path in the run folder, such as seeds/my.dict';
      }
      options.push(`-${letter}`, next);
    } else {
      return `the option ${argument} of afl-fuzz is not for jobs: the bot decides about folders, instances and the end; arguments for the target go after "--"`;
    }
  }
  return { instances, options, target: given.slice(at) };
}

const isOutside = (path: string) => path.startsWith('/') || path.split('/').includes('..');

/** Why a job cannot be run, for its author. */
export function refusal(spec: JobSpec): string | undefined {
  const read = readArguments(spec);
  if (typeof read === 'string') return read;
  const taken = Object.keys(spec.environment).find(
    (name) => name.startsWith('AFL_') && !variables.has(name),
  );
  return taken === undefined
    ? undefined
    : `the variable ${taken} is not for jobs: of AFL++'s they may set ${[...variables].join(', ')}`;
}

/** @throws RangeError for a job that `refusal` refuses */
export function argumentsOf(spec: Pick<JobSpec, 'arguments'>): AflArguments {
  const read = readArguments(spec);
  if (typeof read === 'string') throw new RangeError(read);
  return read;
}

export const hasOption = ({ options }: AflArguments, option: string) => options.includes(option);
