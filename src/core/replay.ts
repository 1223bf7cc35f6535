/** How to run a crash again by hand, from what its bot wrote down of the run. For page and command. */

/** A crash as the contract has it, in messages and in JSON. */
interface Crash {
  readonly id?: string | undefined;
  readonly kind?: string | undefined;
  readonly targetName?: string | undefined;
  readonly report?: string | undefined;
  readonly context?: Context | undefined;
}

interface Context {
  readonly command?: readonly string[] | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly signal?: string | undefined;
  readonly exitCode?: number | undefined;
}

/** Flags of libFuzzer that are about a long run, not about one input. */
const flagsOfRuns = new Set([
  'artifact_prefix',
  'exact_artifact_path',
  'max_total_time',
  'runs',
  'print_final_stats',
  'verbosity',
  'close_fd_mask',
  'max_len',
  'reload',
  'seed',
  'shrink',
  'reduce_inputs',
]);

/** Options that only say where a bot wants reports; others have these values anyhow. */
const optionsOfBots = /^(?:log_path|log_exe_name|external_symbolizer_path|coverage_dir)=/;
const defaults = new Set([
  'symbolize=0',
  'symbolize=1',
  'abort_on_error=0',
  'disable_coredump=1',
  'stack_trace_format=DEFAULT',
]);
/** What a bot sets for every sanitizer, and only some take notice of. */
const wishes = new Set(['halt_on_error=1', 'print_stacktrace=1']);

const sanitizers: Record<string, { name: string; heeds: readonly string[] }> = {
  ASAN_OPTIONS: { name: 'AddressSanitizer', heeds: [] },
  HWASAN_OPTIONS: { name: 'HWAddressSanitizer', heeds: [] },
  LSAN_OPTIONS: { name: 'LeakSanitizer', heeds: [] },
  MSAN_OPTIONS: { name: 'MemorySanitizer', heeds: [] },
  TSAN_OPTIONS: { name: 'ThreadSanitizer', heeds: ['halt_on_error=1'] },
  UBSAN_OPTIONS: {
    name: 'runtime error:',
    heeds: ['print_stacktrace=1', 'halt_on_error=1'],
  },
};

/** Shell's command line that runs the input alone, in the folder of the target and the input. */
export function replayLine(crash: Crash, inputFile: string): string {
  const { context, targetName = '' } = crash;
  const environment = Object.entries(replayEnvironment(crash)).map(
    ([name, value]) => `${name}=${quoted(value)}`,
  );
  return [...environment, ...replayArguments(targetName, context, inputFile).map(quoted)].join(' ');
}

function replayArguments(
  targetName: string,
  context: Context | undefined,
  inputFile: string,
): string[] {
  const target = `./${targetName.split('/').at(-1)}`;
  const flags = (context?.command ?? [])
    .slice(1)
    .filter((argument) => argument.startsWith('-') && !flagsOfRuns.has(flagName(argument)));
  return [target, ...flags, inputFile];
}

const flagName = (argument: string) => /^-+(\w*)/.exec(argument)?.[1] ?? '';

/** What the bot set for the target, without what serves the bot alone. */
export function replayEnvironment({ context, report = '' }: Crash): Record<string, string> {
  const kept: [name: string, value: string][] = [];
  for (const [name, value] of Object.entries(context?.environment ?? {})) {
    const text = isOptions(name) ? replayOptions(name, value, report) : value;
    if (/^\w+$/.test(name) && !isOfBots(name) && text !== '') kept.push([name, text]);
  }
  return Object.fromEntries(kept);
}

const isOptions = (name: string) => name.endsWith('SAN_OPTIONS');
const isOfBots = (name: string) => name === 'TMPDIR' || name.endsWith('_SYMBOLIZER_PATH');

function replayOptions(name: string, value: string, report: string): string {
  const sanitizer = sanitizers[name];
  const heeds = sanitizer && report.includes(sanitizer.name) ? sanitizer.heeds : [];
  const options = splitOptions(value).filter(
    (option) =>
      !optionsOfBots.test(option) &&
      !defaults.has(option) &&
      (!sanitizer || !wishes.has(option) || heeds.includes(option)),
  );
  return [...new Set(options)].join(':');
}

/** At the colons that do not stand in quotes. */
const splitOptions = (value: string): string[] =>
  value.match(/(?:[^:"']|"[^"]*"?|'[^']*'?)+/g) ?? [];

/** A word of a shell's command line. */
export const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** "exit code 77", "SIGSEGV"; empty where it is not known. */
export function endOf(context: Context | undefined): string {
  if (context?.signal) return context.signal;
  return context?.exitCode === undefined ? '' : `exit code ${context.exitCode}`;
}

/** What the input is called where people read how to run it. */
export const inputFile = 'reproducer';

/** A name for the file of an input among others, made of letters that lead nowhere else. */
export const inputName = ({ kind = '', id = '' }: Crash): string =>
  `${kind}-${id}`.replace(/[^A-Za-z0-9-]/g, '_');
