import { sleep } from '../../core/clock.js';
import { backoffMs } from '../../core/retry.js';
import { JobOutcome } from '../../gen/pandafuzz/v1/job.js';
import { SanitizerLogs } from '../findings/sanitizer-logs.js';
import { isDiskFull } from '../sandbox/machine.js';
import { describeExit, type FuzzEnd, Story } from './ends.js';
import { type EndedStart, runEngine, type StartParts } from './start.js';
import { Stint } from './stint.js';

/** Ends in a row before the first input of its own that make a target unfit. */
const mostBadEnds = 5;
/** A target that dies sooner than this is not started at once again: ten starts a second are enough. */
const shortestStartMs = 100;
const futileBackoff = { firstDelayMs: 200, maxDelayMs: 5000, multiplier: 2 } as const;

/**
 * Runs the engine for as long as the limits allow. libFuzzer ends with the first crash it
 * finds, and a target may end by itself, so it is started again with the same corpus: at
 * once where it came to fuzz, after growing pauses where it ended before that.
 *
 * @throws the signal's reason when it aborts, and what starting a process throws
 */
export async function fuzz(parts: Omit<StartParts, 'logs'>): Promise<FuzzEnd> {
  const { spec, engine, folder, tally, findings, clock, signal, log } = parts;
  const endsAtMs = clock.monotonic() + (spec.limits?.maxDurationSeconds || 3600) * 1000;
  const maxCrashes = spec.limits?.maxCrashes || Number.POSITIVE_INFINITY;
  const logs = new SanitizerLogs(folder.logs);
  const hasOwnRuns = engine.limitsRuns(spec);
  const stint = new Stint();
  const story = new Story(stint);
  let badEnds = 0;
  let futileStarts = 0;
  for (;;) {
    signal.throwIfAborted();
    const startedAtMs = clock.monotonic();
    const leftMs = endsAtMs - startedAtMs;
    if (leftMs <= 0) return story.completed();
    if (await isDiskFull(folder.path)) return story.infrastructure("the bot's disk is full");

    const runs = hasOwnRuns ? undefined : stint.runs;
    const start = await runEngine({ ...parts, logs }, { leftMs, runs });
    const { exit, harvest, progress, isFuzzing, removed } = start;
    signal.throwIfAborted();
    const isTimeUp = clock.monotonic() >= endsAtMs;
    story.add(start, isTimeUp);
    if (findings.distinct >= maxCrashes) return story.completed();
    const isDone = exit.code === 0 && (progress.isDone || (progress.isSilent && hasOwnRuns));
    const isOver = isTimeUp || (isDone && runs === undefined);
    const hasWorked = tally.executions > 0 || story.hasFuzzedSilently;
    if (isOver && hasWorked) return story.completed();

    if (harvest.hits === 0 && !hasWorked) {
      return failed('the target ended without executing an input', start);
    }
    badEnds = isFuzzing || removed > 0 ? 0 : badEnds + 1;
    if (badEnds >= mostBadEnds) {
      return failed(`the target ended ${badEnds} times in a row before it could be fuzzed`, start);
    }
    if (isDone && runs !== undefined) stint.reached(runs);
    else if (isFuzzing && harvest.hits === 0) {
      if (!progress.isSilent) stint.endedEarly(runs, progress.executions);
      story.addUnexplained(start, log);
    }
    // A start that got to fuzzing has used its time well, whatever it found.
    futileStarts = isFuzzing || removed > 0 ? 0 : futileStarts + 1;
    const pauseMs = Math.max(
      futileStarts > 0 ? backoffMs(futileBackoff, futileStarts) : 0,
      shortestStartMs - (clock.monotonic() - startedAtMs),
    );
    await sleep(clock, Math.min(pauseMs, Math.max(endsAtMs - clock.monotonic(), 0)), signal);
  }
}

function failed(what: string, { exit, lastWords }: EndedStart): FuzzEnd {
  const words = lastWords ? `. Its last words: ${lastWords}` : ' and printed nothing';
  return { outcome: JobOutcome.FAILED, message: `${what} (${describeExit(exit)})${words}` };
}
