import { createHash } from 'node:crypto';
import type { JobSpec } from '../../gen/pandafuzz/v1/job.js';
import type { Engine, EngineStart } from './engine.js';
import { LibFuzzerOutput } from './libfuzzer-output.js';
import { sanitizerEnvironment } from './sanitizers.js';

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
  return {
    name: 'libfuzzer',
    isCrash: (fileName) => /^(?:crash|leak|timeout|oom)-/.test(fileName),
    isInput: (fileName, content) => fileName === createHash('sha1').update(content).digest('hex'),
    reader: () => new LibFuzzerOutput(),
    refusal,
    command: (start) => ({
      file: start.target,
      // Where a flag is given twice, libFuzzer takes the last one.
      args: [...start.spec.arguments, ...ourArguments(start), start.corpus, start.seeds],
      environment: sanitizerEnvironment(start.spec.environment, options.symbolizer),
    }),
  };
}

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

function ourArguments({ spec, seconds, artifacts }: EngineStart): string[] {
  const { limits } = spec;
  const bounded = (flag: string, value: number | undefined) => (value ? [`-${flag}=${value}`] : []);
  return [
    '-verbosity=1',
    '-close_fd_mask=0',
    '-print_final_stats=1',
    `-max_total_time=${seconds}`,
    // The limit of one allocation follows that of all.
    ...bounded('rss_limit_mb', limits?.maxMemoryMib),
    ...bounded('malloc_limit_mb', limits?.maxMemoryMib),
    ...bounded('timeout', limits?.inputTimeoutSeconds),
    ...bounded('max_len', limits?.maxInputBytes),
    `-artifact_prefix=${artifacts}/`,
  ];
}
