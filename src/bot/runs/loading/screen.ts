import { startSideProcess } from '../side-process.js';
import type { StartParts } from '../start.js';
import { ScreenOutput } from './screen-output.js';

/** Of one input, seconds: with a longer time a few of them keep a build from fuzzing. */
const longestInputSeconds = 5;
/** Past an input's limit, for the engine to end by itself, milliseconds. */
const overtimeMs = 10_000;
/** Between SIGTERM and SIGKILL, milliseconds. */
const stopGraceMs = 200;

/** What came of some inputs that were executed once, one after the other, without fuzzing. */
export interface Screened {
  /** Inputs from the first on that did no harm. */
  readonly good: number;
  /** The next one, if it ended the process. */
  readonly bad: { readonly why: 'crash' | 'slow' | 'memory'; readonly words: string } | undefined;
}

export type ScreenParts = Pick<
  StartParts,
  'spec' | 'engine' | 'folder' | 'tools' | 'clock' | 'signal'
>;

/**
 * Executes inputs in one process, up to the first that crashes, hangs or takes too much
 * memory.
 *
 * @returns undefined when the target says nothing of its inputs, or cannot be run
 * @throws the signal's reason when it aborts, and what starting a process throws
 */
export async function screen(
  paths: readonly string[],
  parts: ScreenParts,
): Promise<Screened | undefined> {
  const { spec, engine, folder, clock, signal } = parts;
  if (!engine.screening) return undefined;
  const asked = spec.limits?.inputTimeoutSeconds || longestInputSeconds;
  const seconds = Math.min(asked, longestInputSeconds);
  const start = { target: folder.target, spec, inputs: paths, seconds, scratch: folder.temporary };
  const command = await engine.screening.command(start);
  const output = new ScreenOutput(paths, engine.screening.begins);
  let isStalled = false;
  const sandbox = await startSideProcess(parts, command, {
    ...{ cwd: folder.path, temporary: folder.temporary, stopGraceMs },
    onOutput: (chunk) => {
      if (output.push(chunk)) watch();
    },
  });
  const stall = () => {
    isStalled = true;
    sandbox.kill();
  };
  let timer = clock.schedule(seconds * 1000 + overtimeMs, stall);
  const watch = () => {
    timer.cancel();
    timer = clock.schedule(seconds * 1000 + overtimeMs, stall);
  };
  try {
    const exit = await sandbox.exited;
    signal.throwIfAborted();
    if (exit.code === 0) return { good: paths.length, bad: undefined };
    if (output.begun === 0) return undefined;
    const why = isStalled ? 'slow' : engine.screening.whyEnded(exit);
    return { good: output.begun - 1, bad: { why, words: output.words } };
  } finally {
    timer.cancel();
  }
}
