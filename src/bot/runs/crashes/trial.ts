import { crashContext } from '../../findings/context.js';
import { keyOf } from '../../findings/crash-key.js';
import type { CrashKey } from '../../findings/findings.js';
import type { FuzzEnd } from '../ends.js';
import { type Replay, replay } from '../replay.js';
import { uselessStart } from '../useless-start.js';
import type { CrashWorkParts } from './parts.js';

/** The target does not run here at all, so that nothing can be said of its crashes. */
export class UnfitTargetError extends Error {
  constructor(readonly end: FuzzEnd) {
    super(end.message);
  }
}

/** One run of an input, alone. */
export interface Trial extends Replay, CrashKey {}

/** Of the target's last words, in a message, characters. */
const longestWords = 1000;

/**
 * Runs an input once, alone.
 *
 * @throws UnfitTargetError when the target ends before it has begun with the input, as one
 *   does whose libraries are missing
 * @throws the signal's reason when it aborts
 */
export async function tryInput(input: Buffer, parts: CrashWorkParts): Promise<Trial> {
  const done = await replay(input, parts);
  parts.output?.push(Buffer.from(`${done.report}\n`));
  parts.signal.throwIfAborted();
  const key = done.isCrash ? keyOf(done.report) : { key: '', hasFrames: false };
  const isSpeechless = done.exit.code !== 0 && key.key === '' && done.exit.signal === null;
  if (isSpeechless && !parts.engine.hasBegun(done.report, done.exit)) {
    const words = done.report.trim().slice(-longestWords);
    const what = 'the target cannot be run here';
    throw new UnfitTargetError(await uselessStart(done.exit, words, parts, what));
  }
  return { ...done, ...key };
}

/**
 * Brings an input to the spool as a crash of this job.
 *
 * @param minimisedFrom the crash that it was made smaller from
 */
export async function keepTrial(
  input: Buffer,
  { report, command, exit }: Trial,
  parts: CrashWorkParts,
  minimisedFrom = '',
): Promise<void> {
  const { spool, lease, folder, engine, engineVersion, spec } = parts;
  const environment = { TMPDIR: folder.temporary, ...command.environment };
  const start = { engine: engine.name, engineVersion, spec, command, environment };
  const context = crashContext({ start, exit, executions: 0, replayCommand: command });
  const crash = { lease, input, report, context, hits: 1, minimisedFrom };
  await spool.add(crash, () => folder.releaseReserve());
}
