/** Flags of libFuzzer that make something other than one fuzzing process, or take its reins from the bot. */
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

/** Whether a flag of libFuzzer is the bot's alone. */
export const isReserved = (flag: string): boolean => reserved.has(flag);

/**
 * Why a job's arguments cannot be given to its engine; undefined when they can. Those of
 * engines that it does not know are the bot's affair.
 */
export function refusedArgument(engine: string, given: readonly string[]): string | undefined {
  if (engine !== 'libfuzzer') return undefined;
  if (given.some((argument) => !argument.startsWith('-'))) {
    return 'every argument for libfuzzer must be a flag such as "-use_value_profile=1"; files and folders are given by the bot';
  }
  const taken = given
    .map((argument) => /^--?(\w+)/.exec(argument)?.[1] ?? '')
    .find((flag) => isReserved(flag));
  return taken === undefined
    ? undefined
    : `the argument -${taken} is not for jobs: the bot decides where inputs are written and how many processes run`;
}
