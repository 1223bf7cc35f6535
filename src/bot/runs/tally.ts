import { type Clock, systemClock } from '../../core/clock.js';
import { JobStatistics } from '../../gen/pandafuzz/v1/job.js';
import type { EngineObserver } from '../engines/engine.js';
import type { Findings } from '../findings/findings.js';

/** A rate taken over less says little, milliseconds. */
const shortestIntervalMs = 1000;

/**
 * What one attempt has done, over all starts of its engine. The figures are the
 * engine's own; between two of its status lines nothing is guessed.
 */
export class Tally {
  #observer: EngineObserver | undefined;
  #earlierExecutions = 0;
  #coverage = 0;
  #features = 0;
  #corpusFiles = 0;
  #corpusBytes = 0;
  #peakMemoryBytes = 0;
  #rate = 0;
  #interval: { atMs: number; executions: number } | undefined;
  #startedAtMs: number | undefined;
  #stoppedAtMs: number | undefined;

  constructor(
    private readonly findings: Pick<Findings, 'hits' | 'kept'>,
    private readonly clock: Clock = systemClock,
  ) {}

  /** The engine was started; its figures come from this observer. */
  begin(observer: EngineObserver): void {
    this.#startedAtMs ??= this.clock.monotonic();
    this.#interval ??= { atMs: this.#startedAtMs, executions: 0 };
    this.#observer = observer;
  }

  /** The observer may have something new. */
  observe(): void {
    const interval = this.#interval;
    if (!interval || this.executions === interval.executions) return;
    const lengthMs = this.clock.monotonic() - interval.atMs;
    if (lengthMs < shortestIntervalMs) return;
    this.#rate = ((this.executions - interval.executions) * 1000) / lengthMs;
    this.#interval = { atMs: this.clock.monotonic(), executions: this.executions };
  }

  /** This process of the engine has ended. */
  end(): void {
    this.observe();
    this.#earlierExecutions = this.executions;
    this.#absorb();
    this.#observer = undefined;
  }

  /** Fuzzing is over. */
  stop(): void {
    this.#stoppedAtMs ??= this.clock.monotonic();
  }

  /** Files in the corpus folder, where the engine does not report them. */
  countFiles(corpusFiles: number): void {
    this.#corpusFiles = Math.max(this.#corpusFiles, corpusFiles);
  }

  get executions(): number {
    return this.#earlierExecutions + (this.#observer?.progress.executions ?? 0);
  }

  get statistics(): JobStatistics {
    this.#absorb();
    const endMs = this.#stoppedAtMs ?? this.clock.monotonic();
    return JobStatistics.create({
      executions: this.executions,
      executionsPerSecond: this.#rate,
      coverage: this.#coverage,
      features: this.#features,
      corpusFiles: this.#corpusFiles,
      corpusBytes: this.#corpusBytes,
      crashes: this.findings.hits,
      peakMemoryBytes: this.#peakMemoryBytes,
      elapsedMs: Math.round(endMs - (this.#startedAtMs ?? endMs)),
      crashHits: this.findings.hits,
      crashInputsKept: this.findings.kept,
    });
  }

  #absorb(): void {
    const now = this.#observer?.progress;
    if (!now) return;
    this.#coverage = Math.max(this.#coverage, now.coverage);
    this.#features = Math.max(this.#features, now.features);
    this.#corpusFiles = Math.max(this.#corpusFiles, now.corpusFiles);
    this.#corpusBytes = Math.max(this.#corpusBytes, now.corpusBytes);
    this.#peakMemoryBytes = Math.max(this.#peakMemoryBytes, now.peakMemoryBytes);
  }
}
