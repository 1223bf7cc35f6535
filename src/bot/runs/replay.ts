import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.js';
import { makeFolder } from '../../core/folders.js';
import type { JobSpec } from '../../gen/pandafuzz/v1/job.js';
import type { Engine, EngineCommand } from '../engines/engine.js';
import { composeReport } from '../findings/evidence.js';
import { SanitizerLogs } from '../findings/sanitizer-logs.js';
import { emptyFolder, type RunFolder } from '../folders/run-folder.js';
import { OutputRecord } from '../sandbox/output-record.js';
import type { SandboxExit, SandboxTools } from '../sandbox/sandbox.js';
import { askTarget } from './ask.js';
import { startSideProcess } from './side-process.js';
import { timedOut } from './timed-out.js';

/** Over the time limit of one input: for the start, and for naming the stack's functions, milliseconds. */
const overtimeMs = 30_000;
/** Time limit of an input whose job has none, seconds. */
const defaultInputSeconds = 25;
/** Between SIGTERM and SIGKILL, milliseconds. */
const stopGraceMs = 200;
/** For a sanitizer to name the functions of a stack, milliseconds. */
const abortGraceMs = 10_000;

/** What came of one input that was executed alone. */
export interface Replay {
  readonly report: string;
  readonly command: EngineCommand;
  readonly exit: SandboxExit;
  /** Whether the input crashes the target, or takes longer than its job allows. */
  readonly isCrash: boolean;
}

export interface ReplayParts {
  readonly spec: JobSpec;
  readonly engine: Engine;
  readonly folder: Pick<RunFolder, 'path' | 'target' | 'replay' | 'temporary' | 'work'>;
  readonly tools: SandboxTools;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Executes one input alone, with its output and its sanitizer's file apart from those of the
 * fuzzing process. A target that ends by itself, as one does that handles its own SIGSEGV, is
 * given the input once more, and no handlers of its own.
 *
 * @throws the system's error when it cannot be started, e.g. ENOSPC
 */
export async function replay(input: Buffer, parts: ReplayParts): Promise<Replay> {
  const done = await replayOnce(input, parts, false);
  if (parts.signal.aborted || !parts.engine.hasEndedItself?.(done)) return done;
  const again = await replayOnce(input, parts, true);
  return parts.engine.hasEndedItself(again) ? done : again;
}

async function replayOnce(
  input: Buffer,
  parts: ReplayParts,
  takesSignals: boolean,
): Promise<Replay> {
  const { spec, engine, folder, clock } = parts;
  // A bot that was killed may have been about to remove the run's folder.
  await makeFolder(folder.replay);
  await emptyFolder(folder.replay);
  const logs = new SanitizerLogs(join(folder.replay, 'logs'), parts.tools.secrets);
  await makeFolder(join(folder.replay, 'logs'));
  const path = join(folder.replay, 'input');
  await writeFile(path, input);
  const start = {
    target: folder.target,
    input: path,
    sanitizerLogs: logs.prefix,
    takesSignals,
    spec,
    ask: askTarget(parts),
  };
  const command = await engine.replay(start);
  const output = new OutputRecord();
  const limitSeconds = spec.limits?.inputTimeoutSeconds || defaultInputSeconds;
  const sandbox = await startSideProcess(parts, command, {
    ...{ cwd: folder.work, temporary: folder.temporary, stopGraceMs },
    limitMs: limitSeconds * 1000 + overtimeMs,
    onOutput: (chunk) => output.push(chunk),
  });
  let hasTimedOut = false;
  // A sanitizer answers SIGABRT with the stack of where the input is.
  const inputLimit = command.limitsTime
    ? undefined
    : clock.schedule(limitSeconds * 1000, () => {
        hasTimedOut = true;
        sandbox.stop(abortGraceMs, 'SIGABRT');
      });
  try {
    const exit = await sandbox.exited;
    const report = composeReport(output.take(), await logs.take([]));
    if (hasTimedOut)
      return { report: timedOut(report, limitSeconds), command, exit, isCrash: true };
    return { report, command, exit, isCrash: engine.hasCrashed({ exit, report }) };
  } finally {
    inputLimit?.cancel();
    await emptyFolder(folder.replay);
  }
}
