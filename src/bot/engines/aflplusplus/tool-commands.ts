import type { EngineCommand, MergeStart, MinimiseStart } from '../engine.js';
import { argumentsOf } from './arguments.js';
import { toolEnvironment } from './environment.js';

/**
 * Time of one execution in AFL++'s tools, milliseconds. They wait for inputs that hang, and give
 * up where the target does not start in it, which takes seconds on a busy machine.
 */
const executionMs = 5000;

/** afl-tmin: the smaller input is in the output when it ends by itself. */
export const minimiseCommand = (
  tmin: string,
  { target, spec, input, output }: MinimiseStart,
): EngineCommand => ({
  file: tmin,
  args: ['-i', input, '-o', output, ...forTarget(target, argumentsOf(spec).target)],
  environment: { ...toolEnvironment(spec), AFL_QUIET: '1' },
});

/**
 * afl-cmin: the output gets the inputs that cover all. By itself it takes no folder below /tmp,
 * and gives up at an input that crashes (-A).
 */
export const mergeCommand = (
  cmin: string,
  { target, spec, inputs, output }: MergeStart,
): EngineCommand => ({
  file: cmin,
  args: ['-A', '-i', inputs, '-o', output, ...forTarget(target, argumentsOf(spec).target)],
  environment: { ...toolEnvironment(spec), AFL_QUIET: '1', AFL_ALLOW_TMP: '1' },
});

const forTarget = (target: string, args: readonly string[]): string[] => [
  '-m',
  'none',
  '-t',
  String(executionMs),
  '--',
  target,
  ...args,
];
