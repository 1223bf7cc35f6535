import type { JobSpec } from '../../../gen/pandafuzz/v1/job.js';
import { sanitizerOptions } from '../sanitizers.js';

/** Milliseconds for a target with a large start, such as one that reads a model. */
const startMs = 10_000;

/** For all of AFL++'s tools. */
const always = {
  NO_COLOR: '1',
  AFL_SKIP_CPUFREQ: '1',
  AFL_NO_AFFINITY: '1',
  AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES: '1',
  AFL_FORKSRV_INIT_TMOUT: String(startMs),
  AFL_IGNORE_UNKNOWN_ENVS: '1',
} as const;

/** What AFL++ itself sets where a sanitizer has no options, as of 4.04c. */
const sanitizerDefaults =
  'detect_leaks=0:malloc_context_size=0:allocator_may_return_null=1:detect_odr_violation=0:' +
  'handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigfpe=0:handle_sigill=0';

/**
 * Options of sanitizers are left to AFL++, unless the job's author has some: then AFL++ wants
 * these at least, as a crash is a signal to it and names would take too long.
 */
const sanitizerNeeds = 'abort_on_error=1:symbolize=0';

/** Environment of AFL++'s tools, and so of the target in them. */
export function toolEnvironment({ environment }: Pick<JobSpec, 'environment'>) {
  const own: Record<string, string> = { ...environment };
  for (const name of sanitizerOptions) {
    const asked = environment[name];
    const exitCode = name === 'MSAN_OPTIONS' ? ':exit_code=86' : '';
    if (asked) own[name] = `${sanitizerDefaults}:${asked}:${sanitizerNeeds}${exitCode}`;
  }
  return { ...own, ...always };
}

/** @param hangMs time after which an input counts as a hang, milliseconds */
export const fuzzEnvironment = (spec: Pick<JobSpec, 'environment'>, hangMs: number) => ({
  ...toolEnvironment(spec),
  AFL_NO_UI: '1',
  AFL_AUTORESUME: '1',
  AFL_IMPORT_FIRST: '1',
  // Minutes; the least there is. The main instance imports twice in it.
  AFL_SYNC_TIME: '1',
  AFL_HANG_TMOUT: String(hangMs),
});
