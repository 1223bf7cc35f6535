import type { JobSpec } from '../../gen/pandafuzz/v1/job.js';

/** Folders and times of one start of an engine. */
export interface EngineStart {
  /** Path of the executable. */
  readonly target: string;
  /** Inputs found so far are read from here, and new ones written to it. */
  readonly corpus: string;
  /** Inputs to begin with. */
  readonly seeds: string;
  /** Inputs that crash are written here. */
  readonly artifacts: string;
  /** Seconds left to fuzz, at least 1. */
  readonly seconds: number;
  readonly spec: JobSpec;
}

export interface EngineCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** Over the bot's own environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What an engine says of its work since it was started. Figures only grow. */
export interface EngineProgress {
  /** Inputs executed, as far as the engine has told. */
  readonly executions: number;
  readonly coverage: number;
  readonly features: number;
  readonly corpusFiles: number;
  readonly corpusBytes: number;
  readonly peakMemoryBytes: number;
  /** It has run through its seeds and its corpus, and makes inputs of its own. */
  readonly isFuzzing: boolean;
  /** Inputs it found worth keeping. */
  readonly newInputs: number;
}

/** Reads what one start of an engine prints. */
export interface EngineReader {
  line(line: string): void;
  readonly progress: EngineProgress;
  /** What was printed about a crash, up to 128 KiB of UTF-8; empty when nothing was. */
  readonly report: string;
  /** The last lines that are no progress, for a message when it fails. */
  readonly lastWords: string;
}

/** A fuzzing engine, as far as a run has to know it. */
export interface Engine {
  /** As JobSpec.engine names it. */
  readonly name: string;
  /** Why a spec cannot be run, for its author; undefined when it can. */
  refusal(spec: JobSpec): string | undefined;
  command(start: EngineStart): EngineCommand;
  reader(): EngineReader;
  /** Whether a file in the artifacts folder is an input that crashes. */
  isCrash(fileName: string): boolean;
  /** Whether a file in the corpus folder is an input that the engine found, and all of it. */
  isInput(fileName: string, content: Buffer): boolean;
}
