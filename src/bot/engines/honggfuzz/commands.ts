import { join } from 'node:path';
import { traitsOf } from '../../../core/target-engine.js';
import type { JobSpec } from '../../../gen/pandafuzz/v1/job.js';
import { foldersOf } from '../../sandbox/readable.js';
import type {
  EngineCommand,
  EngineStart,
  Measuring,
  MergeStart,
  ReplayCommand,
  ReplayStart,
} from '../engine.js';
import { sanitizerEnvironment, sanitizerOptions } from '../sanitizers.js';
import { readCovered } from './figures.js';
import { foldersIn } from './folders.js';

/** Stands for the file with the input among a target's arguments. */
const fileMark = '___FILE___';
/** Exit code of sanitizers in a replay: one that few targets end with by themselves. */
export const sanitizerExitCode = 99;

/** An input that takes longer is kept as a suspect; the replay gives it all the time of its job. */
const longestInputSeconds = 5;
const defaultInputSeconds = 25;

/** What honggfuzz itself sets where a sanitizer has no options: a crash is a signal to it. */
const sanitizerNeeds =
  'abort_on_error=1:symbolize=0:handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigill=0:handle_sigfpe=0';

export async function fuzzCommand(honggfuzz: string, start: EngineStart): Promise<EngineCommand> {
  const { spec, target, state, dictionary, seconds } = start;
  const folders = foldersIn(state);
  return {
    file: honggfuzz,
    args: [
      ...['-i', folders.inputs, '--output', folders.output, '--crashdir', folders.crashes],
      ...['-W', folders.work, '--statsfile', folders.stats],
      // It deletes what it has read there.
      ...['--dynamic_input', folders.dynamic],
      ...['-n', '1', '-t', secondsOfInput(spec), '-T', '--run_time', String(seconds), '-v'],
      ...(dictionary ? ['-w', dictionary] : []),
      ...(spec.limits?.maxInputBytes ? ['-F', String(spec.limits.maxInputBytes)] : []),
      ...(await wayOfInput(target, spec)),
      '--',
      target,
      ...spec.arguments,
    ],
    environment: fuzzEnvironment(spec),
  };
}

const secondsOfInput = ({ limits }: JobSpec): string =>
  String(Math.min(limits?.inputTimeoutSeconds || defaultInputSeconds, longestInputSeconds));

/** Longer inputs than a corpus has are cut by it. */
const longestInputBytes = 2 ** 20;

/**
 * honggfuzz executes all inputs, and keeps those that cover something (-M). It goes on after an
 * input that crashes or hangs.
 */
export async function mergeCommand(
  honggfuzz: string,
  { target, spec, inputs, output, state }: Omit<MergeStart, 'seconds'>,
): Promise<EngineCommand> {
  return {
    file: honggfuzz,
    args: [
      ...['-M', '-i', inputs, '--output', output, '--crashdir', state, '-W', state],
      ...['-n', '1', '-t', secondsOfInput(spec), '-F', String(longestInputBytes), '-v'],
      ...(await wayOfInput(target, spec)),
      '--',
      target,
      ...spec.arguments,
    ],
    environment: fuzzEnvironment(spec),
  };
}

/** The same once more, into a folder that nobody reads: it says what it has covered. */
export const measuringBy = (honggfuzz: string): Measuring => ({
  command: async ({ target, spec, inputs }) => {
    const room = { output: '.', state: '.' };
    const merge = await mergeCommand(honggfuzz, { target, spec, inputs, ...room });
    const script = 'cd "$(mktemp -d)" && "$@"; code=$?; rm -rf "$PWD"; exit $code';
    const args = ['-c', script, 'sh', merge.file, ...merge.args];
    return { ...merge, file: '/bin/sh', args, readable: await foldersOf(honggfuzz) };
  },
  read: readCovered,
});

async function wayOfInput(target: string, spec: JobSpec): Promise<string[]> {
  if (spec.arguments.some((argument) => argument.includes(fileMark))) return [];
  return (await isPersistent(target)) ? ['-P'] : ['-s'];
}

const isPersistent = async (target: string): Promise<boolean> =>
  (await traitsOf(target)).marks.has('honggfuzzPersistent');

function fuzzEnvironment({ environment }: JobSpec): Record<string, string> {
  const own: Record<string, string> = { ...environment };
  for (const name of sanitizerOptions) {
    const asked = environment[name];
    if (asked) own[name] = `${asked}:${sanitizerNeeds}`;
  }
  return own;
}

/** With the input on standard input. */
const fromStandardInput = ['/bin/sh', '-c', 'exec "$@" < "$0"'];

/**
 * Executes an input without honggfuzz, the way the target takes it: by the `main` that
 * honggfuzz links to libFuzzer's entry point, as the file for "___FILE___", or on standard input.
 */
export async function replayCommand(
  { target, spec, input, sanitizerLogs }: ReplayStart,
  symbolizer: string | undefined,
): Promise<ReplayCommand> {
  const own = spec.arguments;
  const hasFile = own.some((argument) => argument.includes(fileMark));
  const [file, ...args] = hasFile
    ? [target, ...own.map((argument) => argument.replaceAll(fileMark, input))]
    : (await isPersistent(target))
      ? [target, ...own, input]
      : [...fromStandardInput, input, target, ...own];
  const asked: Record<string, string> = { ...spec.environment };
  for (const name of sanitizerOptions) {
    const parts = ['detect_leaks=0:handle_abort=1:handle_sigill=1:handle_sigtrap=1', asked[name]];
    asked[name] = [...parts, `exitcode=${sanitizerExitCode}`].filter(Boolean).join(':');
  }
  return {
    file: file as string,
    args,
    environment: sanitizerEnvironment({ asked, symbolizer, logs: sanitizerLogs }),
    limitsTime: false,
  };
}

/** What a job may not give: its arguments are the target's, and these are honggfuzz's own. */
export function refusal({ environment }: JobSpec): string | undefined {
  const taken = Object.keys(environment).find((name) => /^_?HF(?:UZZ)?_/.test(name));
  return (
    taken && `the variable ${taken} is not for jobs: the bot decides about honggfuzz's options`
  );
}

/** Name of the report in the folder of work. */
export const reportFile = (work: string): string => join(work, 'HONGGFUZZ.REPORT.TXT');
