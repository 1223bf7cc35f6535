import { statfs } from 'node:fs/promises';
import { type Clock, sleep } from '../../core/clock.js';
import type { Logger } from '../../core/log.js';
import { backoffMs } from '../../core/retry.js';
import { JobOutcome, type JobSpec } from '../../gen/pandafuzz/v1/job.js';
import { removeInputs } from '../corpus/inputs.js';
import type { Engine, EngineReader } from '../engines/engine.js';
import type { Findings } from '../findings/findings.js';
import type { RunFolder } from '../folders/run-folder.js';
import { type SandboxExit, type SandboxTools, startSandbox } from '../sandbox/sandbox.js';
import type { Tally } from './tally.js';

/** How fuzzing ended. */
export interface FuzzEnd {
  readonly outcome: JobOutcome;
  readonly message: string;
}

/** Ends in a row without a crash, or before the first input of its own, that make a target unfit. */
const mostBadEnds = 5;
/** Time past its limit after which an engine is killed, milliseconds. */
const overtimeMs = 10_000;
/** Longest file a target may write. */
const maxFileBytes = 256 * 2 ** 20;
/** With less than this left on the disk nothing is started, bytes. */
const leastDiskBytes = 64 * 2 ** 20;
/** Between SIGTERM, at which libFuzzer prints its figures, and SIGKILL, milliseconds. */
const stopGraceMs = 500;
/** A target that dies sooner than this is not started at once again: ten starts a second are enough. */
const shortestStartMs = 100;
const futileBackoff = { firstDelayMs: 200, maxDelayMs: 5000, multiplier: 2 } as const;

/**
 * Runs the engine for as long as the limits allow. libFuzzer ends with the first
 * crash it finds, so it is started again with the same corpus: at once where it
 * came to fuzz, after growing pauses where it ended before that.
 *
 * @throws the signal's reason when it aborts, and what starting a process throws
 */
export async function fuzz(options: {
  spec: JobSpec;
  engine: Engine;
  folder: RunFolder;
  tools: SandboxTools;
  tally: Tally;
  findings: Findings;
  log: Logger;
  clock: Clock;
  signal: AbortSignal;
}): Promise<FuzzEnd> {
  const { spec, engine, folder, tally, findings, clock, signal } = options;
  const limits = spec.limits;
  const endsAtMs = clock.monotonic() + (limits?.maxDurationSeconds || 3600) * 1000;
  const maxCrashes = limits?.maxCrashes || Number.POSITIVE_INFINITY;
  let badEnds = 0;
  let futileStarts = 0;
  for (;;) {
    signal.throwIfAborted();
    const leftMs = endsAtMs - clock.monotonic();
    if (leftMs <= 0) return completed;
    if (await isDiskFull(folder.path)) return infrastructure("the bot's disk is full");

    const startedAtMs = clock.monotonic();
    const reader = engine.reader();
    const exit = await runOnce(options, reader, leftMs);
    const found = await findings.collect(folder.artifacts, reader.report, engine.isCrash);
    for (const _ of found.inputs) tally.crashed();
    signal.throwIfAborted();
    if (findings.distinct >= maxCrashes) return completed;
    const { isFuzzing, executions } = reader.progress;
    const isOver = clock.monotonic() >= endsAtMs || (exit.code === 0 && isFuzzing);
    if (isOver && tally.executions > 0) return completed;

    const removed = isFuzzing ? 0 : await removeInputs(folder, found.inputs, limits?.maxInputBytes);
    const isBad = found.inputs.length === 0 || (!isFuzzing && removed === 0);
    badEnds = isBad ? badEnds + 1 : 0;
    if (found.inputs.length === 0 && executions === 0 && tally.executions === 0) {
      return failed('the target ended without executing an input', exit, reader);
    }
    if (badEnds >= mostBadEnds) {
      return failed(
        `the target ended ${badEnds} times in a row before it could be fuzzed`,
        exit,
        reader,
      );
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

/** One process of the engine, from its start to its end. */
async function runOnce(
  options: Parameters<typeof fuzz>[0],
  reader: EngineReader,
  leftMs: number,
): Promise<SandboxExit> {
  const { engine, folder, tally, clock, signal, log } = options;
  const command = engine.command({
    spec: options.spec,
    target: folder.target,
    corpus: folder.corpus,
    seeds: folder.seeds,
    artifacts: folder.artifacts,
    seconds: Math.max(1, Math.ceil(leftMs / 1000)),
  });
  const sandbox = await startSandbox(options.tools, {
    file: command.file,
    args: command.args,
    environment: { ...process.env, TMPDIR: folder.temporary, ...command.environment },
    cwd: folder.path,
    maxFileBytes,
    onLine: (line) => {
      reader.line(line);
      tally.observe();
    },
  });
  tally.begin(reader);
  const onAbort = () => sandbox.stop(stopGraceMs);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  const overtime = clock.schedule(leftMs + overtimeMs, () => sandbox.kill());
  try {
    const exit = await sandbox.exited;
    log.debug({ pid: sandbox.pid, ...exit, ...reader.progress }, 'the engine ended');
    return exit;
  } finally {
    overtime.cancel();
    signal.removeEventListener('abort', onAbort);
    tally.end();
  }
}

const completed: FuzzEnd = { outcome: JobOutcome.COMPLETED, message: '' };

const infrastructure = (message: string): FuzzEnd => ({
  outcome: JobOutcome.INFRASTRUCTURE,
  message,
});

function failed(what: string, exit: SandboxExit, reader: EngineReader): FuzzEnd {
  const how = exit.signal ? `killed by ${exit.signal}` : `exit code ${exit.code}`;
  const words = reader.lastWords ? `. Its last words: ${reader.lastWords}` : ' and said nothing';
  return { outcome: JobOutcome.FAILED, message: `${what} (${how})${words}` };
}

async function isDiskFull(path: string): Promise<boolean> {
  const disk = await statfs(path);
  return disk.bavail * disk.bsize < leastDiskBytes;
}
