import type { JobSpec } from '../../../gen/pandafuzz/v1/job.js';
import type { Measuring, Screening } from '../engine.js';
import { sanitizerEnvironment } from '../sanitizers.js';

/** Exit codes for an input that takes too long, and for one that takes too much memory. */
const exitCodes = { timeout: 70, memory: 71 } as const;
const begins = 'Running: ';

/** Given files instead of folders, libFuzzer executes them one by one, and names each before. */
export const screening = (): Screening => ({
  command: async ({ target, spec, inputs, seconds, scratch }) => ({
    file: target,
    args: [
      ...spec.arguments,
      ...limitsOf(spec, seconds),
      '-runs=1',
      `-artifact_prefix=${scratch}/`,
      ...inputs,
    ],
    // To name functions would take longer than all else.
    environment: environmentOf(spec, undefined),
  }),
  begins: (line) => (line.startsWith(begins) ? line.slice(begins.length) : undefined),
  whyEnded: ({ code }) => {
    if (code === exitCodes.timeout) return 'slow';
    return code === exitCodes.memory ? 'memory' : 'crash';
  },
});

/** A run that ends when the corpus is loaded. */
export const measuring = (symbolizer: string | undefined): Measuring => ({
  command: async ({ target, spec, inputs }) => ({
    file: target,
    args: [
      ...spec.arguments,
      ...limitsOf(spec, spec.limits?.inputTimeoutSeconds ?? 0),
      '-runs=0',
      inputs,
    ],
    environment: environmentOf(spec, symbolizer),
  }),
  read: (output) => {
    const line = [...output.matchAll(/^#\d+\t(?:INITED|DONE) .*$/gm)].at(-1)?.[0] ?? '';
    const [, coverage] = / cov: (\d{1,15})/.exec(line) ?? [];
    const [, features] = / ft: (\d{1,15})/.exec(line) ?? [];
    if (coverage === undefined) return undefined;
    return { coverage: Number(coverage), features: Number(features ?? 0) };
  },
});

const environmentOf = (spec: JobSpec, symbolizer: string | undefined) =>
  sanitizerEnvironment({ asked: spec.environment, symbolizer, logs: 'stderr' });

/** A leak is no reason to leave an input out. */
function limitsOf({ limits }: JobSpec, seconds: number): string[] {
  const mib = limits?.maxMemoryMib ?? 0;
  return [
    '-verbosity=1',
    '-close_fd_mask=0',
    '-detect_leaks=0',
    ...(mib > 0 ? [`-rss_limit_mb=${mib}`, `-malloc_limit_mb=${mib}`] : []),
    ...(seconds > 0 ? [`-timeout=${seconds}`] : []),
  ];
}
