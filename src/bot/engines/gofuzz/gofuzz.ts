import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { JobKind } from '../../../gen/pandafuzz/v1/job.js';
import { writeNew } from '../bring-in.js';
import type {
  Engine,
  EngineCommand,
  EngineDriver,
  EngineStart,
  ReplayCommand,
  ReplayEnd,
  ReplayStart,
} from '../engine.js';
import { isCrashName, isOwnInput, isWholeArtifact } from '../plain-names.js';
import { makeSharedFolders } from '../shared-folder.js';
import { argumentsOf, hasFlag, refusal } from './arguments.js';
import { encode } from './corpus-file.js';
import { foldersIn, prepareFolders } from './folders.js';
import { fuzzTestOf, inFolder } from './fuzz-test.js';
import { GoObserver } from './observer.js';
import { goVersionOf } from './version.js';

/** Every machine can run it: the engine is part of the test binary. */
export const goFuzzDriver: EngineDriver = {
  name: 'gofuzz',
  probe: async () => ({ engine: goFuzz, version: '', note: '' }),
};

/** Time for Go to make one input smaller, within each start; its own minute is much for a known bug. */
const minimiseTime = '2s';
const inputName = 'input';

/** Go's own fuzzing, in a binary of "go test -c -fuzz=.". */
export const goFuzz: Engine = {
  name: 'gofuzz',
  kinds: new Set([JobKind.REPRODUCE, JobKind.VERIFY]),
  versionFor: goVersionOf,
  isCrash: isCrashName,
  isWhole: isWholeArtifact,
  isInput: isOwnInput,
  refusal,
  limitsRuns: (spec) => hasFlag(argumentsOf(spec), 'fuzztime'),
  prepare: prepareFolders,
  start: async (start) => [await fuzzCommand(start)],
  observe: (start, onArtifact) => new GoObserver(start, onArtifact),
  replay: replayCommand,
  // The last: of a target that calls os.Exit, Go prints nothing else.
  hasBegun: (output) =>
    /^\s*--- FAIL: Fuzz|^panic: |^fatal error: |^SIG[A-Z]+: |^=== RUN +\S+\/input$/m.test(output),
  hasCrashed,
};

async function fuzzCommand(start: EngineStart): Promise<EngineCommand> {
  const { state, target, spec, seconds } = start;
  const folders = foldersIn(state);
  const { name } = await fuzzTestOf(start, state);
  const read = argumentsOf(spec);
  const unless = (flag: string, value: string) =>
    hasFlag(read, flag) ? [] : [`-test.${flag}=${value}`];
  const args = [
    '-test.run=^$',
    `-test.fuzz=^${name}$`,
    `-test.fuzzcachedir=${folders.cache}`,
    ...unless('fuzztime', `${seconds}s`),
    ...unless('fuzzminimizetime', minimiseTime),
    ...unless('parallel', '1'),
    ...read.flags,
    ...read.own,
  ];
  // At SIGINT it ends its workers; at SIGTERM they would live on.
  return {
    ...inFolder(folders.work, target, args),
    environment: spec.environment,
    stopSignal: 'SIGINT',
  };
}

/** Go reads an input that failed from testdata/ in its working folder. */
async function replayCommand(start: ReplayStart): Promise<ReplayCommand> {
  const { target, spec, input } = start;
  const room = dirname(input);
  const { name, type } = await fuzzTestOf(start, room);
  const folder = join(room, 'package');
  const inputs = await makeSharedFolders(folder, 'testdata', 'fuzz', name);
  await writeNew(join(inputs, inputName), encode(await readFile(input), type));
  const args = ['-test.v', `-test.run=^${name}$/^${inputName}$`, ...argumentsOf(spec).own];
  return {
    ...inFolder(folder, target, args),
    environment: spec.environment,
    limitsTime: false,
  };
}

/** What Go says of a file that is none of its own, or of another test. */
const unreadable =
  /: (?:mismatched types in corpus entry|wrong number of values in corpus entry|malformed|unmarshal|cannot unmarshal|must include version|unknown encoding version)/;

function hasCrashed({ exit: { code, signal }, report }: ReplayEnd): boolean {
  if (signal !== null) return true;
  return code !== 0 && code !== 126 && code !== 127 && !unreadable.test(report);
}
