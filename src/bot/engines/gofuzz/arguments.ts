import type { JobSpec } from '../../../gen/pandafuzz/v1/job.js';

/** Flags of test binaries that jobs may give; the others change what the bot relies on. */
const allowed = new Set(['fuzz', 'fuzzminimizetime', 'fuzztime', 'parallel', 'short', 'cpu']);

/** A job's arguments, taken apart. */
export interface GoArguments {
  /** Pattern of the fuzz test, as of -test.fuzz; '' where none is named. */
  readonly fuzz: string;
  /** Flags of the test binary, "-test.parallel=2". */
  readonly flags: readonly string[];
  /** For the target's own flags. */
  readonly own: readonly string[];
}

/** @returns a text for the job's author where something cannot be taken */
export function readArguments({
  arguments: given,
}: Pick<JobSpec, 'arguments'>): GoArguments | string {
  const flags: string[] = [];
  const own: string[] = [];
  let fuzz = '';
  for (const argument of given) {
    // As "go test" has them, and as the binary has them.
    const [, prefix, name = '', value] = /^--?(test\.)?(\w+)(?:=(.*))?$/s.exec(argument) ?? [];
    if (prefix === undefined && !allowed.has(name)) {
      own.push(argument);
      continue;
    }
    if (!allowed.has(name)) {
      const names = [...allowed].map((one) => `-test.${one}`).join(', ');
      return `the flag -test.${name} is not for jobs: the bot decides about folders and the end; jobs may give ${names}`;
    }
    if (value === undefined && name !== 'short')
      return `the flag -test.${name} needs a value: -test.${name}=VALUE`;
    if (name === 'fuzztime' && !/^\d{1,15}x$/.test(value ?? '')) {
      return 'the time of a run is its duration (--duration); -test.fuzztime takes executions only, such as 100000x';
    }
    if (name === 'fuzz') fuzz = value ?? '';
    else flags.push(`-test.${name}${value === undefined ? '' : `=${value}`}`);
  }
  return { fuzz, flags, own };
}

/** @throws RangeError for a job that is refused */
export function argumentsOf(spec: Pick<JobSpec, 'arguments'>): GoArguments {
  const read = readArguments(spec);
  if (typeof read === 'string') throw new RangeError(read);
  return read;
}

/** Why a job cannot be run, for its author. */
export function refusal(spec: JobSpec): string | undefined {
  const read = readArguments(spec);
  return typeof read === 'string' ? read : undefined;
}

export const hasFlag = ({ flags }: GoArguments, name: string): boolean =>
  flags.some((flag) => flag.startsWith(`-test.${name}=`));
