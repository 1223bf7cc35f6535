import { join } from 'node:path';
import type { JobSpec } from '../../gen/pandafuzz/v1/job.js';
import type { Merging, Screening } from './engine.js';
import { sanitizerEnvironment } from './sanitizers.js';

/** Exit codes of libFuzzer for an input that takes too long, and for one that takes too much memory. */
const exitCodes = { timeout: 70, memory: 71 } as const;

/** Given files instead of folders, libFuzzer executes them one by one, and names each before. */
export const screening = (symbolizer: string | undefined): Screening => ({
  command: ({ target, spec, inputs, seconds, scratch }) => ({
    file: target,
    args: [
      ...spec.arguments,
      ...limitsOf(spec, seconds),
      '-runs=1',
      `-artifact_prefix=${scratch}/`,
      ...inputs,
    ],
    // Names for functions would take longer than all else.
    environment: {
      ...environmentOf(spec, symbolizer),
      ...sanitizerEnvironment({ asked: spec.environment, symbolizer: undefined, logs: 'stderr' }),
    },
  }),
  begins: (line) => (line.startsWith('Running: ') ? line.slice('Running: '.length) : undefined),
  whyEnded: ({ code }) => {
    if (code === exitCodes.timeout) return 'slow';
    return code === exitCodes.memory ? 'memory' : 'crash';
  },
});

/** A merge goes on behind an input that crashes, and leaves it out. */
export const merging = (symbolizer: string | undefined): Merging => ({
  command: ({ target, spec, from, into, artifacts, scratch }) => ({
    file: target,
    args: [
      ...spec.arguments,
      ...limitsOf(spec, spec.limits?.inputTimeoutSeconds),
      '-merge=1',
      `-merge_control_file=${join(scratch, 'merge-control')}`,
      `-artifact_prefix=${artifacts}/`,
      into,
      from,
    ],
    environment: environmentOf(spec, symbolizer),
  }),
  coverageCommand: ({ target, spec, from }) => ({
    file: target,
    args: [
      ...spec.arguments,
      ...limitsOf(spec, spec.limits?.inputTimeoutSeconds),
      '-runs=0',
      '-print_final_stats=1',
      from,
    ],
    environment: environmentOf(spec, symbolizer),
  }),
});

const environmentOf = (spec: JobSpec, symbolizer: string | undefined) =>
  sanitizerEnvironment({ asked: spec.environment, symbolizer, logs: 'stderr' });

/** A leak is no reason to leave an input out. */
function limitsOf({ limits }: JobSpec, seconds: number | undefined): string[] {
  return [
    '-verbosity=1',
    '-close_fd_mask=0',
    '-detect_leaks=0',
    ...(limits?.maxMemoryMib
      ? [`-rss_limit_mb=${limits.maxMemoryMib}`, `-malloc_limit_mb=${limits.maxMemoryMib}`]
      : []),
    ...(seconds ? [`-timeout=${seconds}`] : []),
  ];
}
