import type { JobKind, JobSpec } from '../../gen/pandafuzz/v1/job.js';
import type { OutputPiece } from '../sandbox/output-record.js';

/** What both a fuzzing start and a replay need. */
interface Start {
  /** Path of the executable. */
  readonly target: string;
  /** Sanitizers write their reports to files whose paths begin so. */
  readonly sanitizerLogs: string;
  readonly spec: JobSpec;
}

/** Folders and times of one start of an engine. */
export interface EngineStart extends Start {
  /** Inputs found so far are read from here, and new ones written to it. */
  readonly corpus: string;
  /** Inputs to begin with. */
  readonly seeds: string;
  /** Inputs that crash are written here. */
  readonly artifacts: string;
  /** Seconds left to fuzz, at least 1. */
  readonly seconds: number;
  /** Executions after which it ends; undefined for no such limit of the bot's. */
  readonly runs: number | undefined;
}

/** One input to be executed once, alone. */
export interface ReplayStart extends Start {
  readonly input: string;
}

/** One input to be made smaller. */
export interface MinimiseStart extends Pick<Start, 'target' | 'spec'> {
  readonly input: string;
  /** Where the smaller input is written. */
  readonly output: string;
  /** Seconds left, at least 1. */
  readonly seconds: number;
}

export interface EngineCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** Over the bot's own environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Progress of an engine since it was started. Figures only grow. */
export interface EngineProgress {
  /** Inputs executed, as far as the engine has printed it. */
  readonly executions: number;
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
}

/** An input that crashes, as the engine reported it. */
export interface WrittenArtifact {
  /** Name of the file in the artifacts folder. */
  readonly name: string;
  /** What was printed since the artifact before. */
  readonly output: readonly OutputPiece[];
  /** The input itself, where the engine printed it. */
  readonly input?: Buffer;
}

/** Reads what one start of an engine prints. */
export interface EngineReader {
  push(chunk: Buffer): void;
  /** To be called after the last chunk. */
  end(): void;
  readonly progress: EngineProgress;
  /** What is wrong with the job's arguments for certain, though the engine would go on. */
  readonly complaint?: string | undefined;
  /** The last lines that are no progress, for a message when it fails. */
  readonly lastWords: string;
}

/** A fuzzing engine, as far as a run has to know it. */
export interface Engine {
  /** As JobSpec.engine names it. */
  readonly name: string;
  /** Kinds of jobs that it can do besides fuzzing. */
  readonly kinds: ReadonlySet<JobKind>;
  /** Why a spec cannot be run, for its author; undefined when it can. */
  refusal(spec: JobSpec): string | undefined;
  /** Whether a job limits its executions itself. */
  limitsRuns(spec: JobSpec): boolean;
  command(start: EngineStart): EngineCommand;
  replayCommand(start: ReplayStart): EngineCommand;
  /** Whether the target came as far as to execute its input, by what a replay printed. */
  hasBegun(output: string): boolean;
  /** Ends when it finds nothing smaller; the last smaller input that crashed is in the output. */
  minimiseCommand(start: MinimiseStart): EngineCommand;
  /** @param onArtifact called for each input that crashes, as soon as its report is complete */
  reader(onArtifact: (artifact: WrittenArtifact) => void): EngineReader;
  /** Whether a file in the artifacts folder is an input that crashes. */
  isCrash(fileName: string): boolean;
  /** Whether a file in the artifacts folder can have this content: a full disk cuts files. */
  isWhole(fileName: string, content: Buffer): boolean;
  /** Whether a file in the corpus folder is an input that the engine found, and all of it. */
  isInput(fileName: string, content: Buffer): boolean;
}
