import { JobKind } from '../../../gen/pandafuzz/v1/job.js';
import { answerOf } from '../../sandbox/answer.js';
import { findProgram } from '../../sandbox/programs.js';
import type { Engine, EngineDriver, EngineMachine, Probe, ReplayEnd } from '../engine.js';
import { isCrashName, isOwnInput, isWholeArtifact } from '../plain-names.js';
import {
  fuzzCommand,
  measuringBy,
  mergeCommand,
  refusal,
  replayCommand,
  sanitizerExitCode,
} from './commands.js';
import { prepareFolders } from './folders.js';
import { HonggfuzzObserver } from './observer.js';

/** For honggfuzz to print its version, milliseconds. */
const answerMs = 5000;

/** honggfuzz, where the machine has it; targets bring its instrumentation, if they have any. */
export const honggfuzzDriver: EngineDriver = { name: 'honggfuzz', probe };

async function probe({ symbolizer, path }: EngineMachine): Promise<Probe> {
  const program = findProgram(['honggfuzz'], path);
  if (!program) {
    return { missing: 'honggfuzz is not on the PATH (docs/engines.md says how to build it)' };
  }
  const answer = await answerOf(program, ['--version'], answerMs);
  const version = /honggfuzz (\d[\w.-]{0,30})/.exec(answer)?.[1];
  if (!version) {
    const said = answer.trim().split('\n')[0]?.slice(0, 200) || 'nothing';
    return {
      missing: `${program} does not answer as honggfuzz does; it printed: ${said}`,
      isBroken: true,
    };
  }
  return { engine: honggfuzz({ program, version, symbolizer }), version, note: '' };
}

/** honggfuzz with the program of this machine. */
export function honggfuzz(options: {
  program: string;
  version: string;
  symbolizer: string | undefined;
}): Engine {
  const { program, version, symbolizer } = options;
  return {
    name: 'honggfuzz',
    kinds: new Set([JobKind.REPRODUCE, JobKind.VERIFY, JobKind.MERGE]),
    versionFor: async () => `honggfuzz ${version}`,
    isCrash: isCrashName,
    isWhole: isWholeArtifact,
    isInput: isOwnInput,
    refusal,
    limitsRuns: () => false,
    prepare: prepareFolders,
    start: async (start) => [await fuzzCommand(program, start)],
    observe: (start, onArtifact) => new HonggfuzzObserver(start, onArtifact),
    replay: (start) => replayCommand(start, symbolizer),
    hasBegun: (output) => !/error while loading shared libraries|: not found$/m.test(output),
    hasCrashed,
    merge: (start) => mergeCommand(program, start),
    measuring: measuringBy(program),
  };
}

/** A target may end with any code it likes: a crash is a signal, or what a sanitizer ends with. */
function hasCrashed({ exit: { code, signal } }: ReplayEnd): boolean {
  return signal !== null || code === sanitizerExitCode || (code ?? 0) > 128;
}
