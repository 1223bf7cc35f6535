import type { JobKind, JobSpec } from '../../gen/pandafuzz/v1/job.js';
import type { OutputPiece } from '../sandbox/output-record.js';
import type { SandboxExit } from '../sandbox/sandbox.js';
import type { CoverageTools } from './libfuzzer/coverage-tools.js';
import type { Naming } from './naming.js';

/*
 * What a run has to know about a fuzzing engine. Each engine has a folder beside this file.
 *
 * A bot asks each `EngineDriver` once, at its start, whether the machine can run it: `probe`.
 * A run then goes through
 *
 *   prepare -> start -> observe … collect … -> (again, with the same folders) -> replay
 *
 * with an exchange of plain files: `corpus` and `seeds` hold inputs as they are, `artifacts`
 * holds inputs that crash. An engine that has folders or a format of its own keeps them in
 * `state`, and brings what is new there into the plain folders with each `collect`.
 */

/** What an engine may need of the machine. */
export interface EngineMachine {
  /** Path of llvm-symbolizer; undefined when there is none. */
  readonly symbolizer: string | undefined;
  /** Where programs are looked for, as in $PATH. */
  readonly path: string;
}

/** What a probe found: the engine, or why this machine cannot run it. */
export type Probe =
  | {
      readonly engine: Engine;
      /** Of the engine on this machine; '' where each target brings its own. */
      readonly version: string;
      /** For people: what it cannot do here; '' when there is nothing. */
      readonly note: string;
    }
  | {
      readonly missing: string;
      /** It is installed, and does not work: somebody will want to know. */
      readonly isBroken?: true;
    };

/** One kind of engine, before it is known whether the machine has it. */
export interface EngineDriver {
  /** As JobSpec.engine names it. */
  readonly name: string;
  /** Ends within some seconds; never rejects for what is missing. */
  probe(machine: EngineMachine): Promise<Probe>;
}

/** What a program of a run printed, both outputs together, and how it ended. */
export interface Answer {
  readonly exit: SandboxExit;
  readonly output: string;
}

interface OfTarget {
  /** Path of the executable. */
  readonly target: string;
  readonly spec: JobSpec;
  /** Runs a command in the run's sandbox, within a minute; absent where nothing can be run. */
  readonly ask?: (command: EngineCommand) => Promise<Answer>;
}

/** What both a fuzzing start and a replay need. */
interface Start extends OfTarget {
  /** Sanitizers write their reports to files whose paths begin so. */
  readonly sanitizerLogs: string;
  /** The target ended by itself before: its own handlers of fatal signals may hide crashes. */
  readonly takesSignals?: boolean;
}

/** Folders and times of one start of an engine. */
export interface EngineStart extends Start {
  /** Inputs found so far, and those of other bots, which arrive while the engine runs. */
  readonly corpus: string;
  /** Inputs to begin with. */
  readonly seeds: string;
  /** Inputs that crash are brought here. */
  readonly artifacts: string;
  /** Path of a dictionary, as libFuzzer and AFL++ read them; undefined: none. */
  readonly dictionary: string | undefined;
  /** The engine's own folder, from its first start in a run to its last. */
  readonly state: string;
  /** Seconds left to fuzz, at least 1. */
  readonly seconds: number;
  /** Executions after which it ends; undefined for no such limit of the bot's. */
  readonly runs: number | undefined;
  /** Leaks are not looked for. */
  readonly withoutLeaks?: boolean;
  /** Stacks may stay without names, which costs less time than the rest of a short start. */
  readonly withoutNames?: boolean;
}

/** Inputs of a folder to be executed, with one report at the end of all that they leak. */
export interface LeakSurveyStart extends Start {
  readonly inputs: string;
  /** Folder for files that nobody reads. */
  readonly scratch: string;
}

/** One input to be executed once, alone. */
export interface ReplayStart extends Start {
  readonly input: string;
}

/** One input to be made smaller. */
export interface MinimiseStart extends OfTarget {
  readonly input: string;
  /** Where the smaller input is written. */
  readonly output: string;
  /** Seconds left, at least 1. */
  readonly seconds: number;
}

/** A corpus to be made smaller without losing coverage. */
export interface MergeStart extends OfTarget {
  /** Folder of plain inputs. */
  readonly inputs: string;
  /** Folder, empty, for those that are needed. */
  readonly output: string;
  /** Folder for files of the engine's own. */
  readonly state: string;
  /** Seconds left, at least 1. */
  readonly seconds: number;
}

/** Inputs to be executed once each, without fuzzing. */
export interface ScreenStart extends OfTarget {
  readonly inputs: readonly string[];
  /** Longest one of them may take. */
  readonly seconds: number;
  /** Folder for files that nobody looks at. */
  readonly scratch: string;
}

/** How an engine executes inputs without fuzzing, up to the first that does harm. */
export interface Screening {
  command(start: ScreenStart): Promise<EngineCommand>;
  /** The path in a line that says that an input begins; undefined for other lines. */
  begins(line: string): string | undefined;
  whyEnded(exit: SandboxExit): 'crash' | 'slow' | 'memory';
}

/** What the inputs of a folder cover, as the engine counts it. */
export interface Coverage {
  readonly coverage: number;
  readonly features: number;
}

/** How an engine measures what the inputs of a folder cover. */
export interface Measuring {
  command(start: OfTarget & { readonly inputs: string }): Promise<EngineCommand>;
  /** @returns undefined for output that does not say it */
  read(output: string): Coverage | undefined;
}

export interface EngineCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** Over the bot's own environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** At which the engine ends cleanly, with its last figures; SIGTERM when left out. */
  readonly stopSignal?: NodeJS.Signals;
  /** Folders that it reads besides its run's and the system's. */
  readonly readable?: readonly string[];
}

export interface ReplayCommand extends EngineCommand {
  /** Whether it ends by itself, with a report, when the input takes longer than its job allows. */
  readonly limitsTime: boolean;
}

/** The end of a replay. */
export interface ReplayEnd {
  readonly exit: SandboxExit;
  readonly report: string;
}

/** Progress of an engine since it was started. Figures only grow. */
export interface EngineProgress {
  /** Inputs executed, as far as the engine has printed or written it. */
  readonly executions: number;
  /** Fewer than this have been executed: else the engine would have printed it. */
  readonly executionsBelow?: number;
  /** Of the executions: those of inputs that were there before. */
  readonly loaded?: number;
  readonly coverage: number;
  readonly features: number;
  readonly corpusFiles: number;
  readonly corpusBytes: number;
  readonly peakMemoryBytes: number;
  /** It has run through its seeds and its corpus, and makes inputs of its own. */
  readonly isFuzzing: boolean;
  /** It came to one of its limits, and ended by itself for that. */
  readonly isDone: boolean;
  /** It printed no line of its own: the target has closed or redirected its standard error. */
  readonly isSilent: boolean;
  /** Inputs it found worth keeping. */
  readonly newInputs: number;
  /** It is to be stopped and started again, e.g. for inputs that it takes at its start only. */
  readonly isRestartDue?: boolean;
}

export const noProgress: EngineProgress = {
  executions: 0,
  coverage: 0,
  features: 0,
  corpusFiles: 0,
  corpusBytes: 0,
  peakMemoryBytes: 0,
  isFuzzing: false,
  isDone: false,
  isSilent: true,
  newInputs: 0,
};

/** An input that crashes, as the engine reported it. */
export interface WrittenArtifact {
  /** Name of the file in the artifacts folder. */
  readonly name: string;
  /** What was printed since the artifact before. */
  readonly output: readonly OutputPiece[];
  /** The input itself, where the engine printed it. */
  readonly input?: Buffer;
  /** The engine only suspects it: what a replay does not confirm is dropped. */
  readonly isSuspect?: boolean;
}

/** Follows one start of an engine, by its output and by its files. */
export interface EngineObserver {
  /** @param process index of the command in `start` that printed it */
  push(chunk: Buffer, process: number): void;
  /**
   * Reads the engine's files, and brings new inputs and artifacts into the plain folders. To
   * be called every second or so, and after the end; never twice at once.
   *
   * @param isLast the engine has ended: no file is half written any more
   */
  collect(isLast: boolean): Promise<void>;
  /** To be called after the last chunk. */
  end(): void;
  readonly progress: EngineProgress;
  /** What is wrong with the job's arguments for certain, though the engine would go on. */
  readonly complaint?: string | undefined;
  /** What people have to know about the run besides. */
  readonly note?: string | undefined;
  /** The last lines that are no progress, for a message when it fails. */
  readonly lastWords: string;
}

/** A fuzzing engine that this machine has. */
export interface Engine {
  /** As JobSpec.engine names it. */
  readonly name: string;
  /** Kinds of jobs that it can do besides fuzzing. */
  readonly kinds: ReadonlySet<JobKind>;
  /** Whether it goes on from its own folder in a later run of the same job. */
  readonly resumes?: true;
  /** Version of the engine that this target is run with, e.g. "clang 14.0.6"; '' if unknown. */
  versionFor(target: string): Promise<string>;
  /** Why a spec cannot be run, for its author; undefined when it can. */
  refusal(spec: JobSpec): string | undefined;
  /** Whether a job limits its executions itself. */
  limitsRuns(spec: JobSpec): boolean;
  /** Lays out what the engine needs before a start; the same folders may have had a start before. */
  prepare(start: EngineStart): Promise<void>;
  /** One command for each process, at least one. The first leads: the others end with it. */
  start(start: EngineStart): Promise<readonly EngineCommand[]>;
  /** @param onArtifact called for each input that crashes, as soon as its report is complete */
  observe(start: EngineStart, onArtifact: (artifact: WrittenArtifact) => void): EngineObserver;
  replay(start: ReplayStart): Promise<ReplayCommand>;
  /** Whether the target came as far as to execute its input, by what a replay printed and its end. */
  hasBegun(output: string, exit: SandboxExit): boolean;
  /** Names for stacks that it printed without; undefined: there is no symbolizer here. */
  readonly naming?: Naming | undefined;
  /** Only where a target's leaks end a start, and can be looked for by themselves. */
  leakSurvey?(start: LeakSurveyStart): EngineCommand;
  /** Whether the target ended a replay by itself, amid the input and without a report. */
  hasEndedItself?(end: ReplayEnd): boolean;
  /** Whether a replay ended as a crash does. */
  hasCrashed(end: ReplayEnd): boolean;
  /** Ends when it finds nothing smaller; the last smaller input that crashed is in the output. */
  minimise?(start: MinimiseStart): Promise<EngineCommand>;
  /** Exit code 0: the output folder covers what the inputs cover. */
  merge?(start: MergeStart): Promise<EngineCommand>;
  /** undefined: it passes over inputs of its corpus that do harm by itself. */
  readonly screening?: Screening;
  /** LLVM's tools on this machine, for reports of source coverage; absent or empty: none. */
  readonly coverage?: readonly CoverageTools[];
  /** Merges are done by engines that have this, to be checked by it. */
  readonly measuring?: Measuring;
  /** Whether a file in the artifacts folder is an input that crashes. */
  isCrash(fileName: string): boolean;
  /** Whether a file in the artifacts folder can have this content: a full disk cuts files. */
  isWhole(fileName: string, content: Buffer): boolean;
  /** Whether a file in the corpus folder is an input that the engine found, and all of it. */
  isInput(fileName: string, content: Buffer): boolean;
}
