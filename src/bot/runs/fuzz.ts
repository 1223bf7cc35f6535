import { sleep } from '../../core/clock.js';
import { backoffMs } from '../../core/retry.js';
import { JobOutcome, type RunNote, RunNoteKind } from '../../gen/pandafuzz/v1/job.js';
import { SanitizerLogs } from '../findings/sanitizer-logs.js';
import type { Dropped } from '../findings/spool.js';
import { isDiskFull } from '../sandbox/machine.js';
import { type CorpusFolders, CorpusPart } from './corpus-part.js';
import { describeExit, type FuzzEnd, Story } from './ends.js';
import { Leaks } from './leaks.js';
import type { Loading } from './loading/loading.js';
import { note } from './notes.js';
import { Restarts } from './restarts.js';
import { addStarter, CutSeeds } from './seed-use.js';
import { type EndedStart, runEngine, type StartParts, type StartPlan } from './start.js';
import { Stint } from './stint.js';
import { uselessStart } from './useless-start.js';

/** Ends in a row before the first input of its own that make a target unfit. */
const mostBadEnds = 5;
/** Of those, ends by the empty input, which no corpus and no seed can keep away. */
const mostEmptyEnds = 2;
/**
 * A target that dies sooner than this is not started at once again: thirty starts a second,
 * of which each costs the bot some milliseconds, are enough.
 */
const shortestStartMs = 33;
const futileBackoff = { firstDelayMs: 200, maxDelayMs: 5000, multiplier: 2 } as const;

/**
 * Runs the engine for as long as the limits allow. libFuzzer ends with the first crash it
 * finds, and a target may end by itself, so it is started again with the same corpus: at
 * once where it came to fuzz, after growing pauses where it ended before that.
 *
 * @throws the signal's reason when it aborts, and what starting a process throws
 */
export async function fuzz(parts: Omit<FuzzingParts, 'logs'>): Promise<FuzzEnd> {
  const logs = new SanitizerLogs(parts.folder.logs, parts.tools.secrets);
  const fuzzing = new Fuzzing({ ...parts, logs });
  return fuzzing.run().finally(() => fuzzing.close());
}

interface FuzzingParts extends StartParts {
  readonly loading: Loading;
  /** The shared corpus takes no more of what the run finds. */
  readonly isCorpusFull: () => boolean;
}

class Fuzzing {
  readonly #durationMs: number;
  readonly #endsAtMs: number;
  readonly #stint = new Stint();
  readonly #restarts = new Restarts();
  readonly #leaks: Leaks;
  readonly #story: Story;
  readonly #hasOwnRuns: boolean;
  #part: CorpusPart | undefined;
  #badEnds = 0;
  #emptyEnds = 0;
  #starters = 0;
  #takesSignals = false;

  constructor(private readonly parts: FuzzingParts) {
    const { spec, tally, engine, clock, findings, folder, lease, spool } = parts;
    this.#durationMs = (spec.limits?.maxDurationSeconds || 3600) * 1000;
    this.#endsAtMs = clock.monotonic() + this.#durationMs;
    this.#hasOwnRuns = engine.limitsRuns(spec);
    this.#leaks = new Leaks(parts);
    const seeds = new CutSeeds(folder.seeds, spec.limits?.maxInputBytes);
    const others = () => [
      this.#restarts.note(findings.distinctCounts),
      this.#leaks.note,
      seeds.note,
      droppedNote(spool.droppedOf(lease)),
      parts.isCorpusFull() ? fullNote : undefined,
      tally.engineNote === '' ? undefined : note(RunNoteKind.UNSPECIFIED, tally.engineNote),
    ];
    this.#story = new Story({ stint: this.#stint, tally, others });
    tally.notes = () => this.#story.notes;
  }

  /** All that was found is in the corpus then. */
  async close(): Promise<void> {
    await this.#part?.close();
  }

  async run(): Promise<FuzzEnd> {
    const { clock, folder, loading, signal } = this.parts;
    for (;;) {
      signal.throwIfAborted();
      const startedAtMs = clock.monotonic();
      if (startedAtMs >= this.#endMs) return this.#over();
      if (await isDiskFull(folder.path)) {
        return this.#story.infrastructure("the bot's disk is full");
      }
      if (startedAtMs >= this.#leaks.nextAtMs) {
        await this.#leaks.survey();
        continue;
      }
      const plan = {
        leftMs: Math.min(this.#endMs, this.#leaks.nextAtMs) - startedAtMs,
        runs: this.#hasOwnRuns ? undefined : this.#stint.runs,
        withoutLeaks: this.#leaks.areOff,
        takesSignals: this.#takesSignals || this.#story.hasEndedItself,
        namelessStacks: this.#restarts.namelessStacks,
        part: await this.#nextPart(),
      };
      const guard = loading.guard();
      const during = { ...this.parts, signal: guard.signal };
      const start = await runEngine(during, plan).finally(guard.end);
      // What it has done counts, though it was stopped.
      if (signal.aborted) this.#story.add(start, false);
      signal.throwIfAborted();
      if (plan.part) await this.#part?.ended();
      if (clock.monotonic() < this.#endMs && (await loading.ended(start, guard))) {
        this.#story.add(start, false);
        continue;
      }
      const end = await this.#judge(start, plan);
      if (end) return end;
      await this.#pause(startedAtMs);
      this.#weigh(start, startedAtMs);
    }
  }

  /** Of the corpus, where all of it would take most of the time. */
  async #nextPart(): Promise<CorpusFolders | undefined> {
    if (!this.#restarts.usesPart || !this.parts.engine.merge) {
      await this.#part?.close();
      this.#part = undefined;
      return undefined;
    }
    this.#part ??= new CorpusPart(this.parts);
    return this.#part.next();
  }

  /** When fuzzing ends; what is left then is for a last survey of leaks. */
  get #endMs(): number {
    return this.#endsAtMs - this.#leaks.reserveMs(this.#durationMs);
  }

  /** The run has come to one of its limits. */
  async #over(): Promise<FuzzEnd> {
    if (this.#leaks.areOff) await this.#leaks.survey();
    const hasDone = this.#story.hasFuzzed || this.#hasOwnRuns;
    return hasDone ? this.#story.completed() : this.#story.neverFuzzed();
  }

  /** @returns how the run ends, unless it goes on */
  async #judge(start: EndedStart, { runs, withoutLeaks }: StartPlan): Promise<FuzzEnd | undefined> {
    const { clock, findings, tally, spec } = this.parts;
    const { exit, harvest, progress, isFuzzing, removed } = start;
    if (start.complaint !== undefined) {
      return { outcome: JobOutcome.FAILED, message: start.complaint, final: true };
    }
    const isTimeUp = clock.monotonic() >= this.#endMs;
    this.#story.add(start, isTimeUp);
    this.#leaks.usedUpMemory(harvest.dropped);
    const isNewLeak = harvest.metLeak && this.#leaks.met();
    const maxCrashes = spec.limits?.maxCrashes || Number.POSITIVE_INFINITY;
    if (findings.distinct >= maxCrashes) return this.#story.completed();
    const isDone = exit.code === 0 && (progress.isDone || (progress.isSilent && this.#hasOwnRuns));
    // A start between two surveys, or two imports, ends without ending the run.
    const isRestart = progress.isRestartDue === true;
    const isSlice = (withoutLeaks && !this.#hasOwnRuns) || isRestart;
    const isOver = isTimeUp || (isDone && runs === undefined && !isSlice);
    const hasWorked = tally.executions > 0 || this.#story.hasFuzzed;
    if (isOver && hasWorked) return this.#over();
    if (harvest.hits === 0 && !hasWorked) {
      if (isOver) return failed('the target ended without executing an input', start);
      return this.#useless(start);
    }
    const isUseful = isFuzzing || removed > 0 || isNewLeak;
    this.#badEnds = isUseful ? 0 : this.#badEnds + 1;
    const end = this.#badEnds > 0 ? await this.#unfit(start) : undefined;
    if (!isDone && !isRestart) this.#noteEnd(start, runs);
    else if (runs !== undefined && !isRestart) this.#stint.reached(runs);
    return end;
  }

  /**
   * A start that executed nothing. One that ended by itself may have handled the crash of an
   * input of its corpus: the next one leaves it no handlers.
   */
  async #useless({ exit, lastWords }: EndedStart): Promise<FuzzEnd | undefined> {
    const end = await uselessStart(exit, lastWords, this.parts);
    const isUnclear = end.outcome === JobOutcome.FAILED && !end.final && exit.signal === null;
    if (!isUnclear || this.#takesSignals || !this.parts.engine.hasEndedItself) return end;
    this.#takesSignals = true;
    return undefined;
  }

  /** An end by itself, without a crash, while it was fuzzed. */
  #noteEnd(start: EndedStart, runs: number | undefined): void {
    const { progress, isFuzzing, harvest } = start;
    if (!isFuzzing || harvest.hits > 0 || harvest.dropped > 0) return;
    if (!progress.isSilent) this.#stint.endedEarly(runs, progress.executions);
    this.#story.addUnexplained(start, this.parts.log);
  }

  /** The target ended before it could be fuzzed. @returns how the run ends, where that is certain */
  async #unfit(start: EndedStart): Promise<FuzzEnd | undefined> {
    const { inputs } = start.harvest;
    if (inputs.some((input) => input.length === 0) && ++this.#emptyEnds >= mostEmptyEnds) {
      return { outcome: JobOutcome.FAILED, message: crashesOnNothing };
    }
    // Without any seed libFuzzer begins with a newline.
    const isNewline = inputs.some((input) => input.equals(newline));
    if (isNewline && (await addStarter(this.parts.folder, this.#starters++))) {
      this.#badEnds = 0;
      return undefined;
    }
    if (this.#badEnds < mostBadEnds) return undefined;
    return failed(
      `the target ended ${this.#badEnds} times in a row before it could be fuzzed`,
      start,
    );
  }

  async #pause(startedAtMs: number): Promise<void> {
    const { clock, signal } = this.parts;
    const pauseMs = Math.max(
      this.#badEnds > 0 ? backoffMs(futileBackoff, this.#badEnds) : 0,
      shortestStartMs - (clock.monotonic() - startedAtMs),
    );
    const leftMs = Math.max(this.#endMs - clock.monotonic(), 0);
    await sleep(clock, Math.min(pauseMs, leftMs), signal);
  }

  /** What the start has cost, if a crash ended it. */
  #weigh({ harvest }: EndedStart, startedAtMs: number): void {
    const { clock, tally } = this.parts;
    if (harvest.hits === 0) {
      this.#restarts.clear();
      return;
    }
    const lengthMs = clock.monotonic() - startedAtMs;
    const lostMs = Math.max(lengthMs - tally.lastFuzzedMs, 0);
    this.#restarts.add({ lengthMs, lostMs, loadMs: tally.lastLoadMs, keys: harvest.keys });
  }
}

function droppedNote({ inputs, distinct }: Dropped): RunNote | undefined {
  if (inputs === 0) return undefined;
  const text = `the bot's spool is full while the master is away: ${inputs} crashing inputs were dropped, ${distinct} of them the last of their kind`;
  return note(RunNoteKind.LOST, text);
}

const fullNote = note(
  RunNoteKind.LOST,
  'the corpus of this target is full: what is found is fuzzed here, and not shared with other bots; merge it, or raise corpus.max_inputs or corpus.max_bytes',
);

const newline = Buffer.from('\n');

const crashesOnNothing =
  'the target crashes on the empty input, which libFuzzer executes before anything else: nothing can be fuzzed until it returns for an input without bytes (if (size == 0) return 0;). That crash is reported';

function failed(what: string, { exit, lastWords }: EndedStart): FuzzEnd {
  const words = lastWords ? `. Its last words: ${lastWords}` : ' and printed nothing';
  return { outcome: JobOutcome.FAILED, message: `${what} (${describeExit(exit)})${words}` };
}
