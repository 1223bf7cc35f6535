import { JobKind, type JobSpec } from '../../../gen/pandafuzz/v1/job.js';
import { refusedArgument } from '../../../target/arguments.js';
import { readPlainStart } from '../../sandbox/plain-file.js';
import { compilerOf } from '../compiler.js';
import type {
  Engine,
  EngineDriver,
  EngineStart,
  MergeStart,
  MinimiseStart,
  ReplayStart,
} from '../engine.js';
import { namingBy } from '../naming.js';
import { isCrashName, isOwnInput, isWholeArtifact } from '../plain-names.js';
import { sanitizerEnvironment, sanitizerOptions } from '../sanitizers.js';
import { measuring, screening } from './corpus.js';
import { type CoverageTools, findCoverageTools } from './coverage-tools.js';
import { LibFuzzerOutput } from './output.js';

/** Every machine can run it: the engine is part of the target. */
export const libFuzzerDriver: EngineDriver = {
  name: 'libfuzzer',
  probe: async ({ symbolizer, path }) => {
    const coverage = await findCoverageTools(path);
    return { engine: libFuzzer({ symbolizer, coverage }), version: '', note: '' };
  },
};

/**
 * libFuzzer, and everything that takes its flags: cargo-fuzz's targets, Atheris's scripts,
 * Jazzer's driver, libafl_libfuzzer.
 */
export function libFuzzer(options: {
  symbolizer: string | undefined;
  coverage?: readonly CoverageTools[];
}): Engine {
  const { symbolizer, coverage = [] } = options;
  const environmentOf = ({ spec, sanitizerLogs: logs, takesSignals }: ReplayStart) =>
    sanitizerEnvironment({ asked: spec.environment, symbolizer, logs, takesSignals });
  return {
    name: 'libfuzzer',
    kinds: new Set([
      ...[JobKind.REPRODUCE, JobKind.MINIMISE, JobKind.VERIFY, JobKind.MERGE],
      ...(coverage.length > 0 ? [JobKind.COVERAGE] : []),
    ]),
    coverage,
    versionFor: compilerOf,
    isCrash: isCrashName,
    isWhole: isWholeArtifact,
    isInput: (fileName, content) => isOwnInput(fileName, content) || isLibAflInput(fileName),
    refusal: (spec) => refusedArgument('libfuzzer', spec.arguments),
    limitsRuns: (spec) => spec.arguments.some((argument) => /^--?runs=/.test(argument)),
    prepare: async () => {}, // it reads and writes the plain folders itself
    start: async (start) => [
      {
        file: start.target,
        // Where a flag is given twice, libFuzzer takes the last one.
        args: [
          ...start.spec.arguments,
          ...(start.dictionary === undefined ? [] : [`-dict=${start.dictionary}`]),
          ...ourArguments(start),
          start.corpus,
          start.seeds,
        ],
        environment: sanitizerEnvironment({
          asked: start.spec.environment,
          symbolizer,
          logs: start.sanitizerLogs,
          withoutNames: start.withoutNames,
          leaks: start.withoutLeaks ? false : undefined,
          takesSignals: start.takesSignals,
        }),
        stopSignal: await stopSignalOf(start.target),
      },
    ],
    observe: (_start, onArtifact) => new LibFuzzerOutput(onArtifact),
    replay: async (start) => ({
      file: start.target,
      args: [...start.spec.arguments, ...sharedArguments(start.spec), '-runs=1', start.input],
      environment: environmentOf(start),
      limitsTime: true,
    }),
    screening: screening(),
    measuring: measuring(symbolizer),
    naming: symbolizer === undefined ? undefined : namingBy(symbolizer),
    // Its own search would end with the first leak: the sanitizer's at the exit has all of them.
    leakSurvey: ({ target, spec, sanitizerLogs, inputs, scratch }) => ({
      file: target,
      args: [
        ...spec.arguments,
        ...sharedArguments(spec),
        '-detect_leaks=0',
        '-runs=0',
        '-reload=0',
        `-artifact_prefix=${scratch}/`,
        inputs,
      ],
      environment: sanitizerEnvironment({
        asked: spec.environment,
        symbolizer,
        logs: sanitizerLogs,
        leaks: true,
      }),
    }),
    hasBegun: (output) => /^Running: /m.test(output),
    hasEndedItself: ({ exit, report }) =>
      exit.signal === null &&
      /^Running: /m.test(report) &&
      !/^Executed .* in \d+ ms|(?:ERROR|SUMMARY|WARNING): /m.test(report),
    hasCrashed: ({ exit }) => exit.code !== 0,
    minimise: async (start) => ({
      file: start.target,
      args: minimiseArguments(start),
      // It compares crashes by their tokens, which it reads from standard error.
      environment: sanitizerEnvironment({
        asked: withTokens(start.spec.environment),
        symbolizer,
        logs: 'stderr',
      }),
    }),
    merge: async (start) => ({
      file: start.target,
      args: mergeArguments(start),
      environment: sanitizerEnvironment({
        asked: start.spec.environment,
        symbolizer,
        logs: 'stderr',
      }),
    }),
  };
}

/** libafl_libfuzzer's names for inputs; it writes them whole. */
const isLibAflInput = (fileName: string) => /^[0-9a-f]{16}$/.test(fileName);

/**
 * Where an interpreter runs the target, SIGTERM ends the interpreter, and libFuzzer inside it
 * prints no last figures; SIGUSR1 is libFuzzer's own. Elsewhere SIGTERM is better: it ends an
 * input that hangs, too.
 */
async function stopSignalOf(target: string): Promise<NodeJS.Signals> {
  const start = await readPlainStart(target, 2);
  return start?.toString('latin1') === '#!' ? 'SIGUSR1' : 'SIGTERM';
}

const mergeArguments = ({ spec, inputs, output, seconds }: MergeStart): string[] => [
  ...spec.arguments,
  ...sharedArguments(spec),
  '-merge=1',
  '-detect_leaks=0', // a leak is no reason to leave an input out
  `-max_total_time=${seconds}`,
  output,
  inputs,
];

/** Executions of one step that finds nothing smaller: a second or two for most targets. */
const minimiseStepRuns = 100_000;

const minimiseArguments = ({ spec, input, output, seconds }: MinimiseStart): string[] => [
  ...spec.arguments,
  ...sharedArguments(spec),
  '-minimize_crash=1',
  `-exact_artifact_path=${output}`,
  `-max_total_time=${seconds}`,
  `-runs=${minimiseStepRuns}`,
  input,
];

/** Sanitizers print a crash's innermost functions, so that libFuzzer stays with the same bug. */
function withTokens(asked: Readonly<Record<string, string>>): Record<string, string> {
  const environment: Record<string, string> = { ...asked };
  for (const name of sanitizerOptions) {
    environment[name] = [asked[name], 'dedup_token_length=3'].filter(Boolean).join(':');
  }
  return environment;
}

function ourArguments(start: EngineStart): string[] {
  const { spec, seconds, runs, artifacts, withoutLeaks } = start;
  return [
    ...sharedArguments(spec),
    '-print_final_stats=1',
    `-max_total_time=${seconds}`,
    ...bounded('runs', runs),
    // Without it libFuzzer's limit is the longest seed; with it, longer seeds are cut.
    ...bounded('max_len', spec.limits?.maxInputBytes),
    ...(withoutLeaks ? ['-detect_leaks=0'] : []),
    `-artifact_prefix=${artifacts}/`,
  ];
}

function sharedArguments({ limits }: JobSpec): string[] {
  return [
    '-verbosity=1',
    '-close_fd_mask=0',
    // The limit of one allocation follows that of all.
    ...bounded('rss_limit_mb', limits?.maxMemoryMib),
    ...bounded('malloc_limit_mb', limits?.maxMemoryMib),
    ...bounded('timeout', limits?.inputTimeoutSeconds),
  ];
}

const bounded = (flag: string, value: number | undefined) => (value ? [`-${flag}=${value}`] : []);
