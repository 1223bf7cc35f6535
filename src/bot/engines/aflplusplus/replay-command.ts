import { traitsOf } from '../../../core/target-engine.js';
import type { ReplayCommand, ReplayStart } from '../engine.js';
import { sanitizerEnvironment, sanitizerOptions } from '../sanitizers.js';
import { argumentsOf } from './arguments.js';

/** Exit code of sanitizers in a replay: one that few targets end with by themselves. */
export const sanitizerExitCode = 99;

/** With the input on standard input. */
const fromStandardInput = ['/bin/sh', '-c', 'exec "$@" < "$0"'];

/**
 * Executes an input without AFL++, the way the target takes it: as the file for "@@", as an
 * argument of the `main` that AFL++ links to libFuzzer's entry point, or on standard input.
 */
export async function replayCommand(
  { target, spec, input, sanitizerLogs }: ReplayStart,
  symbolizer: string | undefined,
): Promise<ReplayCommand> {
  const own = argumentsOf(spec).target;
  const [file, ...args] = own.includes('@@')
    ? [target, ...own.map((argument) => (argument === '@@' ? input : argument))]
    : (await isDriver(target, own))
      ? [target, input]
      : [...fromStandardInput, input, target, ...own];
  const asked = withExitCode(spec.environment);
  return {
    file: file as string,
    args,
    environment: sanitizerEnvironment({ asked, symbolizer, logs: sanitizerLogs }),
    limitsTime: false,
  };
}

/** Its only arguments of its own are "-" for standard input, and "-N" for the length of its loop. */
async function isDriver(target: string, own: readonly string[]): Promise<boolean> {
  const { marks } = await traitsOf(target);
  return marks.has('aflDriver') && own.every((argument) => /^-\d+$/.test(argument));
}

/** A stack for every signal; leaks, as in AFL++, only where the job's author wants them. */
const wishes = 'detect_leaks=0:handle_abort=1:handle_sigill=1:handle_sigtrap=1';

function withExitCode(asked: Readonly<Record<string, string>>): Record<string, string> {
  const environment: Record<string, string> = { ...asked };
  for (const name of sanitizerOptions) {
    const parts = [wishes, asked[name], `exitcode=${sanitizerExitCode}`];
    environment[name] = parts.filter(Boolean).join(':');
  }
  return environment;
}
