import { basename, dirname } from 'node:path';
import { foldersOf } from '../../sandbox/readable.js';
import type { EngineCommand, Measuring, MergeStart, MinimiseStart } from '../engine.js';
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
 * afl-showmap takes a path that begins with "/dev/" for a device, as those in /dev/shm do: the output
 * is named from its parent. afl-cmin gives what it keeps another name by `ln`, which the kernel
 * refuses of inputs that are not the run's user's own: they are copied. It looks for programs in
 * its own folder first, so it gets one with that `ln`.
 */
const merging = `
  cd "$1" && printf '#!/bin/sh\\nexec cp "$@"\\n' >"$2/ln" && chmod 755 "$2/ln" &&
    ln -s "$3" "$2/afl-cmin" || exit
  PATH=$2:$(dirname "$3"):$PATH
  cmin=$2/afl-cmin
  shift 3
  exec "$cmin" "$@"`;

/**
 * afl-cmin: the output gets the inputs that cover all. By itself it takes no folder below /tmp,
 * and gives up at an input that crashes (-A).
 */
export const mergeCommand = async (
  cmin: string,
  { target, spec, inputs, output, state }: MergeStart,
): Promise<EngineCommand> => ({
  file: '/bin/sh',
  args: [
    ...['-c', merging, 'sh', dirname(output), state],
    ...[cmin, '-A', '-i', inputs, '-o', `./${basename(output)}`],
    ...forTarget(target, argumentsOf(spec).target),
  ],
  environment: { ...toolEnvironment(spec), AFL_QUIET: '1', AFL_ALLOW_TMP: '1' },
  readable: await foldersOf(cmin),
});

/**
 * afl-showmap writes one map for each input; what all of them cover is counted from these. Its
 * own sum (-C) has edges that none of the inputs reached, as of 4.04c.
 */
const measure = `
  room=$(mktemp -d) && cd "$room" || exit
  showmap=$1
  shift
  "$showmap" -o maps "$@" >log 2>&1
  find maps -type f -exec cat {} + | awk -F: '
    !($1 in edges) { edges[$1]; coverage++ }
    !($0 in tuples) { tuples[$0]; features++ }
    END { printf "covered: %d edges, %d features\\n", coverage, features }'
  [ -n "$(find maps -type f | head -n 1)" ] || tail -n 20 log
  rm -rf "$room"`;

/** Programs of the system alone read the maps, as these are many and large. */
export const measuringBy = (showmap: string): Measuring => ({
  command: async ({ target, spec, inputs }) => ({
    file: '/bin/sh',
    args: [
      ...['-c', measure, 'sh', showmap],
      ...['-i', inputs, ...forTarget(target, argumentsOf(spec).target)],
    ],
    environment: { ...toolEnvironment(spec), AFL_QUIET: '1' },
    readable: await foldersOf(showmap),
  }),
  read: (output) => {
    const [, coverage, features] =
      /^covered: (\d{1,15}) edges, (\d{1,15}) features$/m.exec(output) ?? [];
    if (!Number(coverage)) return undefined;
    return { coverage: Number(coverage), features: Number(features) };
  },
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
