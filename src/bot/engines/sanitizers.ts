import { realpathSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { makeFolderSync } from '../../core/folders.js';
import { findProgram } from '../sandbox/programs.js';

/**
 * A symbolizer under the one name that the sanitizers accept, "llvm-symbolizer".
 * Debian's "llvm-symbolizer-14" gets that name in `toolsFolder`.
 *
 * @returns undefined when there is none: stacks then have offsets for names
 */
export function findSymbolizer(toolsFolder: string, path?: string): string | undefined {
  const versions = Array.from({ length: 40 }, (_, i) => `llvm-symbolizer-${50 - i}`);
  const found = findProgram(['llvm-symbolizer', ...versions], path);
  if (!found || basename(found) === 'llvm-symbolizer') return found;
  const renamed = join(toolsFolder, 'llvm-symbolizer');
  makeFolderSync(toolsFolder);
  rmSync(renamed, { force: true });
  symlinkSync(realpathSync(found), renamed);
  return renamed;
}

/** 2: handled by the sanitizer, and no `signal` or `sigaction` of the target's changes that. */
const exclusiveSignals = {
  ...{ handle_segv: '2', handle_sigbus: '2', handle_abort: '2' },
  ...{ handle_sigill: '2', handle_sigfpe: '2' },
};

const sanitizers = ['ASAN', 'HWASAN', 'UBSAN', 'MSAN', 'TSAN', 'LSAN'];

/** Variables that sanitizers take their options from. */
export const sanitizerOptions = sanitizers.map((name) => `${name}_OPTIONS`);

/**
 * The environment in which sanitizers report what they find so that it can be read. Options
 * of the job's author go over the bot's wishes and under its needs: reports in files of the
 * bot's, which a target that closes its standard error cannot lose, and an end by exit rather
 * than by abort, so that the engine writes the input.
 */
export function sanitizerEnvironment(options: {
  asked: Readonly<Record<string, string>>;
  symbolizer: string | undefined;
  /** Beginning of the files' paths, or "stderr". */
  logs: string;
  /** Stacks get no names. */
  withoutNames?: boolean | undefined;
  /** Whether leaks are looked for; undefined: as the sanitizer or the job's author has it. */
  leaks?: boolean | undefined;
  /** Fatal signals are the sanitizer's, whatever handlers the target sets up. */
  takesSignals?: boolean | undefined;
}): Record<string, string> {
  const { asked, symbolizer, logs, withoutNames, leaks, takesSignals } = options;
  const needs = [
    'abort_on_error=0:disable_coredump=1:stack_trace_format=DEFAULT',
    ...(withoutNames ? ['symbolize=0'] : []),
    ...(leaks === undefined ? [] : [`detect_leaks=${leaks ? 1 : 0}`]),
    `log_exe_name=0:log_path="${logs}"`,
  ];
  const wishes = {
    ...{ symbolize: symbolizer ? '1' : '0', print_stacktrace: '1', halt_on_error: '1' },
    ...(takesSignals ? exclusiveSignals : {}),
  };
  const environment: Record<string, string> = { ...asked };
  for (const name of sanitizers) {
    const parts = [
      ...Object.entries(wishes).map(([key, value]) => `${key}=${value}`),
      ...(name === 'TSAN' && symbolizer ? [`external_symbolizer_path=${symbolizer}`] : []),
      ...(asked[`${name}_OPTIONS`] ? [asked[`${name}_OPTIONS`]] : []),
      ...needs,
    ];
    environment[`${name}_OPTIONS`] = parts.join(':');
    if (symbolizer) environment[`${name}_SYMBOLIZER_PATH`] ??= symbolizer;
  }
  return environment;
}
