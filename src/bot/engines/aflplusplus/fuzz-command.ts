import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { EngineCommand, EngineStart } from '../engine.js';
import { type AflArguments, argumentsOf, hasOption } from './arguments.js';
import { fuzzEnvironment } from './environment.js';
import { foldersIn, instanceNames, isResumable } from './folders.js';

/** AFL++ on this machine. */
export interface AflPrograms {
  readonly fuzz: string;
  readonly tmin: string | undefined;
  readonly cmin: string | undefined;
  readonly showmap: string | undefined;
  readonly version: string;
  /** Path of llvm-symbolizer. */
  readonly symbolizer: string | undefined;
}

/**
 * AFL++ tunes the time limit of an execution down from this, milliseconds: its own default. A
 * longer one would let each of the many inputs that hang take as long.
 */
const longestExecutionMs = 1000;
/** An input that takes longer is kept as a hang; the replay gives it all the time of its job. */
const longestHangMs = 5000;
const defaultInputSeconds = 25;

/** Power schedules of the secondary instances, in turn. */
const schedules = ['fast', 'explore', 'coe', 'lin', 'quad', 'exploit', 'rare'];

export async function fuzzCommands(
  { fuzz, version }: Pick<AflPrograms, 'fuzz' | 'version'>,
  start: EngineStart,
): Promise<EngineCommand[]> {
  const { spec, target } = start;
  const read = argumentsOf(spec);
  const limitMs = (spec.limits?.inputTimeoutSeconds || defaultInputSeconds) * 1000;
  const cmplog = await cmplogOf(target);
  const { output, inputs } = foldersIn(start.state);
  const isGoingOn = await isResumable(output);
  return instanceNames(read.instances).map((name, index) => {
    // Executions with CmpLog are dear: every other instance spares them.
    const comparing = byCmplog(index % 2 === 0 ? cmplog : undefined, target, version);
    return {
      file: fuzz,
      args: [
        ...(index === 0 ? ['-M', name, '-F', foldersIn(start.state).foreign] : ['-S', name]),
        '-i',
        isGoingOn ? '-' : inputs,
        '-o',
        output,
        '-m',
        'none',
        ...(start.dictionary ? ['-x', start.dictionary] : []),
        ...read.options,
        ...unless(read, '-t', `${Math.min(limitMs, longestExecutionMs)}+`),
        ...(spec.limits?.maxInputBytes
          ? unless(read, '-G', String(spec.limits.maxInputBytes))
          : []),
        ...(index === 0 ? [] : unless(read, '-p', schedules[(index - 1) % schedules.length] ?? '')),
        ...comparing.options,
        '-V',
        String(start.seconds),
        '--',
        comparing.target,
        ...read.target,
      ],
      environment: fuzzEnvironment(spec, Math.min(limitMs, longestHangMs)),
    };
  });
}

/**
 * How an instance compares by a CmpLog build. Until 4.04c (Debian 12's) afl-fuzz starts a build that
 * lies beside the target and learns nothing from it; there the build is the target itself.
 */
function byCmplog(cmplog: string | undefined, target: string, version: string) {
  if (!cmplog) return { target, options: [] };
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return major > 4 || (major === 4 && minor > 4)
    ? { target, options: ['-c', cmplog] }
    : { target: cmplog, options: ['-c', '0'] };
}

/** An option that the job did not give. */
const unless = (read: AflArguments, option: string, value: string): string[] =>
  hasOption(read, option) ? [] : [option, value];

/** A build of the target with AFL_LLVM_CMPLOG: NAME.cmplog beside it, or the only such file there. */
async function cmplogOf(target: string): Promise<string | undefined> {
  const folder = dirname(target);
  const files = await readdir(folder).catch(() => []);
  const builds = files.filter((name) => name.endsWith('.cmplog'));
  const own = `${basename(target)}.cmplog`;
  const build = builds.includes(own) ? own : builds.length === 1 ? builds[0] : undefined;
  return build === undefined ? undefined : join(folder, build);
}
