import { createHash } from 'node:crypto';
import { JobKind, type JobSpec } from '../../gen/pandafuzz/v1/job.js';
import type { Engine, EngineStart, MinimiseStart } from './engine.js';
import { merging, screening } from './libfuzzer-corpus.js';
import { isCrashName, LibFuzzerOutput } from './libfuzzer-output.js';
import { sanitizerEnvironment, sanitizerOptions } from './sanitizers.js';

/** Flags that make something other than one fuzzing process, or take its reins from the bot. */
const reserved = new Set([
  'analyze_dict',
  'artifact_prefix',
  'cleanse_crash',
  'collect_data_flow',
  'data_flow_trace',
  'exact_artifact_path',
  'fork',
  'help',
  'ignore_remaining_args',
  'jobs',
  'merge',
  'merge_control_file',
  'merge_inner',
  'minimize_crash',
  'minimize_crash_internal_step',
  'run_equivalence_server',
  'set_cover_merge',
  'stop_file',
  'use_equivalence_server',
  'workers',
]);

/** libFuzzer, and everything that is started as it is (e.g. cargo-fuzz's targets). */
export function libFuzzer(options: { symbolizer: string | undefined }): Engine {
  const { symbolizer } = options;
  const environmentOf = ({ spec, sanitizerLogs }: Pick<EngineStart, 'spec' | 'sanitizerLogs'>) =>
    sanitizerEnvironment({ asked: spec.environment, symbolizer, logs: sanitizerLogs });
  return {
    name: 'libfuzzer',
    kinds: new Set([JobKind.REPRODUCE, JobKind.MINIMISE, JobKind.VERIFY, JobKind.MERGE]),
    isCrash: isCrashName,
    isWhole: (fileName, content) => {
      const digest = /^[a-z]+-([0-9a-f]{40})$/.exec(fileName)?.[1];
      return digest === undefined ? content.length > 0 : digest === sha1(content);
    },
    isInput: (fileName, content) => fileName === sha1(content),
    reader: (onArtifact) => new LibFuzzerOutput(onArtifact),
    refusal,
    limitsRuns: (spec) => spec.arguments.some((argument) => /^--?runs=/.test(argument)),
    command: (start) => ({
      file: start.target,
      // Where a flag is given twice, libFuzzer takes the last one.
      args: [...start.spec.arguments, ...ourArguments(start), start.corpus, start.seeds],
      environment: environmentOf(start),
    }),
    replayCommand: (start) => ({
      file: start.target,
      args: [...start.spec.arguments, ...sharedArguments(start.spec), '-runs=1', start.input],
      environment: environmentOf(start),
    }),
    screening: screening(symbolizer),
    merging: merging(symbolizer),
    hasBegun: (output) => /^Running: /m.test(output),
    minimiseCommand: (start) => ({
      file: start.target,
      args: minimiseArguments(start),
      // It compares crashes by their tokens, which it reads from standard error.
      environment: sanitizerEnvironment({
        asked: withTokens(start.spec.environment),
        symbolizer,
        logs: 'stderr',
      }),
    }),
  };
}

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

const sha1 = (content: Buffer) => createHash('sha1').update(content).digest('hex');

function refusal(spec: JobSpec): string | undefined {
  const stranger = spec.arguments.find((argument) => !argument.startsWith('-'));
  if (stranger !== undefined) {
    return 'every argument for libfuzzer must be a flag such as "-use_value_profile=1"; files and folders are given by the bot';
  }
  const flags = spec.arguments.map((argument) => /^-(\w+)/.exec(argument)?.[1] ?? '');
  const taken = flags.find((flag) => reserved.has(flag));
  return taken === undefined
    ? undefined
    : `the argument -${taken} is not for jobs: the bot decides where inputs are written and how many processes run`;
}

function ourArguments({ spec, seconds, runs, artifacts }: EngineStart): string[] {
  return [
    ...sharedArguments(spec),
    '-print_final_stats=1',
    `-max_total_time=${seconds}`,
    ...bounded('runs', runs),
    // Without it libFuzzer's limit is the longest seed; with it, longer seeds are cut.
    ...bounded('max_len', spec.limits?.maxInputBytes),
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
