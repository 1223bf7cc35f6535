import { JobKind, type JobSpec } from '../../../gen/pandafuzz/v1/job.js';
import type { Engine, EngineDriver, EngineStart, ReplayEnd } from '../engine.js';
import { isCrashName, isOwnInput, isWholeArtifact } from '../plain-names.js';
import { sanitizerEnvironment, sanitizerOptions } from '../sanitizers.js';
import { foldersIn, prepareFolders } from './folders.js';
import { CommandObserver } from './observer.js';

/** Every machine can run it: the engine is the target. */
export const commandDriver: EngineDriver = {
  name: 'command',
  probe: async ({ symbolizer }) => ({ engine: command({ symbolizer }), version: '', note: '' }),
};

/** Exit codes that say that nothing was executed: an action that it does not know, and a shell's. */
const notExecuted: ReadonlySet<number | null> = new Set([64, 126, 127]);
const defaultInputSeconds = 25;

/** Any program that follows the convention of docs/engine-command.md. */
export function command({ symbolizer }: { symbolizer: string | undefined }): Engine {
  const environmentOf = (
    spec: JobSpec,
    own: Readonly<Record<string, string | number | undefined>>,
    logs = 'stderr',
  ): Record<string, string> => {
    const asked = withExitCode(spec.environment);
    const environment = sanitizerEnvironment({ asked, symbolizer, logs });
    for (const [name, value] of Object.entries({ ...limitsOf(spec), ...own })) {
      if (value !== undefined) environment[`PANDAFUZZ_${name}`] = String(value);
    }
    return environment;
  };
  return {
    name: 'command',
    kinds: new Set([JobKind.REPRODUCE, JobKind.VERIFY, JobKind.MINIMISE]),
    versionFor: async () => '',
    isCrash: isCrashName,
    isWhole: isWholeArtifact,
    isInput: isOwnInput,
    refusal: () => undefined,
    limitsRuns: () => false,
    prepare: prepareFolders,
    start: async (start) => [
      {
        file: start.target,
        args: ['fuzz', ...start.spec.arguments],
        environment: environmentOf(start.spec, foldersOf(start)),
      },
    ],
    observe: (start, onArtifact) => new CommandObserver(start, onArtifact),
    replay: async ({ target, spec, input, sanitizerLogs }) => ({
      file: target,
      args: ['replay', ...spec.arguments],
      environment: environmentOf(spec, { INPUT: input }, sanitizerLogs),
      limitsTime: false,
    }),
    hasBegun: (_output, exit) => !notExecuted.has(exit.code),
    hasCrashed,
    minimise: async ({ target, spec, input, output, seconds }) => ({
      file: target,
      args: ['minimise', ...spec.arguments],
      environment: environmentOf(spec, { INPUT: input, OUTPUT: output, SECONDS: seconds }),
    }),
  };
}

const hasCrashed = ({ exit: { code, signal } }: ReplayEnd): boolean =>
  signal !== null || (code !== 0 && !notExecuted.has(code));

/** As a shell has it of a process that SIGABRT ended: one rule tells all crashes. */
const sanitizerExitCode = 134;

function withExitCode(asked: Readonly<Record<string, string>>): Record<string, string> {
  const environment: Record<string, string> = { ...asked };
  for (const name of sanitizerOptions) {
    environment[name] = [`exitcode=${sanitizerExitCode}`, asked[name]].filter(Boolean).join(':');
  }
  return environment;
}

function foldersOf({ state, dictionary, seconds, runs }: EngineStart) {
  const folders = foldersIn(state);
  return {
    CORPUS: folders.corpus,
    CRASHES: folders.crashes,
    STATE: folders.state,
    DICTIONARY: dictionary,
    SECONDS: seconds,
    MAX_EXECUTIONS: runs,
  };
}

const limitsOf = ({ limits }: JobSpec) => ({
  INPUT_SECONDS: limits?.inputTimeoutSeconds || defaultInputSeconds,
  MAX_INPUT_BYTES: limits?.maxInputBytes || undefined,
  MEMORY_MIB: limits?.maxMemoryMib || undefined,
});
