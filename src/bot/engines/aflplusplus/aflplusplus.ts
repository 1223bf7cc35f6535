import { JobKind } from '../../../gen/pandafuzz/v1/job.js';
import type { Engine, ReplayEnd } from '../engine.js';
import { isCrashName, isOwnInput, isWholeArtifact } from '../plain-names.js';
import { argumentsOf, hasOption, refusal } from './arguments.js';
import { instanceNames, prepareFolders } from './folders.js';
import { type AflPrograms, fuzzCommands } from './fuzz-command.js';
import { AflObserver } from './observer.js';
import { replayCommand, sanitizerExitCode } from './replay-command.js';
import { measuringBy, mergeCommand, minimiseCommand } from './tool-commands.js';

/** AFL++ with the programs of this machine. */
export function aflPlusPlus(programs: AflPrograms): Engine {
  const { tmin, cmin, showmap, version, symbolizer } = programs;
  const kinds = [JobKind.REPRODUCE, JobKind.VERIFY];
  if (tmin) kinds.push(JobKind.MINIMISE);
  if (cmin && showmap) kinds.push(JobKind.MERGE);
  return {
    name: 'aflplusplus',
    kinds: new Set(kinds),
    resumes: true,
    versionFor: async () => `AFL++ ${version}`,
    isCrash: isCrashName,
    isWhole: isWholeArtifact,
    isInput: isOwnInput,
    refusal,
    limitsRuns: (spec) => hasOption(argumentsOf(spec), '-E'),
    prepare: prepareFolders,
    start: (start) => fuzzCommands(programs, start),
    observe: (start, onArtifact) =>
      new AflObserver(start, instanceNames(argumentsOf(start.spec).instances), onArtifact),
    replay: (start) => replayCommand(start, symbolizer),
    hasBegun: (output) => !/error while loading shared libraries|: not found$/m.test(output),
    hasCrashed,
    ...(tmin && { minimise: async (start) => minimiseCommand(tmin, start) }),
    ...(cmin && { merge: (start) => mergeCommand(cmin, start) }),
    ...(showmap && { measuring: measuringBy(showmap) }),
  };
}

/** A target may end with any code it likes: a crash is a signal, or what a sanitizer ends with. */
function hasCrashed({ exit: { code, signal } }: ReplayEnd): boolean {
  return signal !== null || code === sanitizerExitCode || (code ?? 0) > 128;
}
