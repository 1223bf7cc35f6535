import { type Clock, systemClock } from '../../core/clock.js';
import { JobStatistics, type RunNote } from '../../gen/pandafuzz/v1/job.js';
import type { EngineObserver } from '../engines/engine.js';
import type { Findings } from '../findings/findings.js';

/** A rate taken over less says little, milliseconds. */
const shortestIntervalMs = 1000;
/** An engine that has printed nothing for so long will print nothing, milliseconds. */
const silentAfterMs = 2000;

/**
 * What one attempt has done, over all starts of its engine. The figures are the engine's own;
 * an estimate of the executions since its last status line stands beside them.
 */
export class Tally {
  #observer: EngineObserver | undefined;
  #earlierExecutions = 0;
  #coverage = 0;
  /** When fuzzing began: what its seeds and its corpus cover. */
  #loadedCoverage = 0;
  #features = 0;
  #corpusFiles = 0;
  #corpusBytes = 0;
  #peakMemoryBytes = 0;
  #rate = 0;
  #interval: { atMs: number; executions: number } | undefined;
  #startedAtMs: number | undefined;
  #stoppedAtMs: number | undefined;
  /** Last report of the engine's, and how many executions it had. */
  #reported = { atMs: 0, executions: 0 };
  #starts = 0;
  #beganAtMs = 0;
  /** Time spent on fuzzing by earlier starts. */
  #fuzzedMs = 0;
  #fuzzedBeforeMs = 0;
  #lastLoadMs = 0;
  /** Since when the current start has been fuzzing. */
  #fuzzingSinceMs: number | undefined;
  #engineNote = '';
  /** What people have to know besides; set by the run. */
  notes: () => RunNote[] = () => [];

  constructor(
    private readonly findings: Pick<Findings, 'hits' | 'kept'>,
    private readonly clock: Clock = systemClock,
  ) {}

  /** The engine was started; its figures come from this observer. */
  begin(observer: EngineObserver): void {
    this.#startedAtMs ??= this.clock.monotonic();
    this.#interval ??= { atMs: this.#startedAtMs, executions: 0 };
    this.#observer = observer;
    this.#starts += 1;
    this.#beganAtMs = this.clock.monotonic();
  }

  /** The observer may have something new. */
  observe(): void {
    const nowMs = this.clock.monotonic();
    const now = this.#observer?.progress;
    if (now?.isFuzzing) {
      this.#fuzzingSinceMs ??= nowMs;
      if (this.#loadedCoverage === 0) this.#loadedCoverage = now.coverage;
    }
    if (this.executions !== this.#reported.executions) {
      this.#reported = { atMs: nowMs, executions: this.executions };
    }
    const interval = this.#interval;
    if (!interval || this.executions === interval.executions) return;
    const lengthMs = nowMs - interval.atMs;
    if (lengthMs < shortestIntervalMs) return;
    this.#rate = ((this.executions - interval.executions) * 1000) / lengthMs;
    this.#interval = { atMs: nowMs, executions: this.executions };
  }

  /** This process of the engine has ended. */
  end(): void {
    this.observe();
    this.#fuzzedBeforeMs = this.#fuzzedMs;
    this.#fuzzedMs = this.#fuzzedUntilNowMs;
    const nowMs = this.clock.monotonic();
    this.#lastLoadMs = (this.#fuzzingSinceMs ?? nowMs) - this.#beganAtMs;
    this.#fuzzingSinceMs = undefined;
    this.#earlierExecutions = this.executions;
    this.#absorb();
    this.#observer = undefined;
  }

  /** Of the start that has just ended, this was no fuzzing: the target wrote its report. */
  wroteReportFor(reportMs: number): void {
    this.#fuzzedMs = Math.max(this.#fuzzedMs - reportMs, this.#fuzzedBeforeMs);
  }

  /** Milliseconds until the start that has just ended had read its corpus. */
  get lastLoadMs(): number {
    return this.#lastLoadMs;
  }

  /** Milliseconds of fuzzing of the start that has just ended. */
  get lastFuzzedMs(): number {
    return this.#fuzzedMs - this.#fuzzedBeforeMs;
  }

  /** Fuzzing is over. */
  stop(): void {
    this.#stoppedAtMs ??= this.clock.monotonic();
  }

  /** The engine that runs now has not come to fuzz yet, as far as it says so. */
  get isLoading(): boolean {
    const now = this.#observer?.progress;
    return now !== undefined && !now.isFuzzing && !now.isSilent;
  }

  /** What the engine's observer has noted last; '' for nothing. */
  get engineNote(): string {
    return this.#observer?.note ?? this.#engineNote;
  }

  /** Files in the corpus folder, where the engine does not report them. */
  countFiles(corpusFiles: number): void {
    this.#corpusFiles = Math.max(this.#corpusFiles, corpusFiles);
  }

  get executions(): number {
    return this.#earlierExecutions + (this.#observer?.progress.executions ?? 0);
  }

  /** Milliseconds since the current start, if it has not come to fuzz yet; else undefined. */
  get loadingMs(): number | undefined {
    const isLoading = this.#observer && this.#fuzzingSinceMs === undefined;
    return isLoading ? this.clock.monotonic() - this.#beganAtMs : undefined;
  }

  /** Milliseconds of fuzzing until now. */
  get #fuzzedUntilNowMs(): number {
    // An engine that prints nothing fuzzes as far as is known.
    const nowMs = this.clock.monotonic();
    const isSilent =
      this.#observer?.progress.isSilent === true && nowMs - this.#beganAtMs > silentAfterMs;
    const sinceMs = this.#fuzzingSinceMs ?? (isSilent ? this.#beganAtMs : undefined);
    return this.#fuzzedMs + (sinceMs === undefined ? 0 : nowMs - sinceMs);
  }

  /** Executions until now, and how old the figure is that the engine reported. */
  get #estimate(): { executions: number; ageMs: number } {
    const progress = this.#observer?.progress;
    if (!progress?.isFuzzing) return { executions: this.executions, ageMs: 0 };
    const ageMs = this.clock.monotonic() - Math.max(this.#reported.atMs, this.#beganAtMs);
    const since = (this.#rate * ageMs) / 1000;
    const most = progress.executionsBelow ?? Number.POSITIVE_INFINITY;
    const current = Math.min(progress.executions + since, Math.max(most - 1, progress.executions));
    return { executions: Math.round(this.#earlierExecutions + current), ageMs: Math.ceil(ageMs) };
  }

  get statistics(): JobStatistics {
    this.#absorb();
    const endMs = this.#stoppedAtMs ?? this.clock.monotonic();
    const elapsedMs = Math.round(endMs - (this.#startedAtMs ?? endMs));
    const estimate = this.#estimate;
    return JobStatistics.create({
      executions: this.executions,
      executionsPerSecond: this.#rate,
      coverage: this.#coverage,
      features: this.#features,
      corpusFiles: this.#corpusFiles,
      corpusBytes: this.#corpusBytes,
      crashes: this.findings.hits,
      peakMemoryBytes: this.#peakMemoryBytes,
      elapsedMs,
      crashHits: this.findings.hits,
      crashInputsKept: this.findings.kept,
      executionsEstimate: estimate.executions,
      figuresAgeMs: estimate.ageMs,
      notes: this.notes(),
      engineStarts: this.#starts,
      restartingMs: Math.max(elapsedMs - Math.round(this.#fuzzedUntilNowMs), 0),
      loadedCoverage: this.#loadedCoverage,
    });
  }

  #absorb(): void {
    const now = this.#observer?.progress;
    if (!now) return;
    this.#engineNote = this.engineNote;
    this.#coverage = Math.max(this.#coverage, now.coverage);
    this.#features = Math.max(this.#features, now.features);
    this.#corpusFiles = Math.max(this.#corpusFiles, now.corpusFiles);
    this.#corpusBytes = Math.max(this.#corpusBytes, now.corpusBytes);
    this.#peakMemoryBytes = Math.max(this.#peakMemoryBytes, now.peakMemoryBytes);
  }
}
