import { messageOf } from '../../../core/errors.js';
import { crashContext } from '../../findings/context.js';
import { keyOf } from '../../findings/crash-key.js';
import { type CrashKey, digestOf, type Verdict } from '../../findings/findings.js';
import { replay } from '../replay.js';
import type { StartParts } from '../start.js';

/** Inputs that are executed alone for the sake of their reports. */
const mostReplays = 64;
/** Innermost frames of an unsymbolized stack that tell crashes apart. */
const comparedFrames = 5;

export type VerdictParts = Omit<StartParts, 'tally' | 'logs' | 'aside'>;

/**
 * Crashes among the inputs that are put aside, which are crashes like all others. Those with
 * the same stack are one bug to begin with: of each, a few are executed alone for a report.
 */
export class Verdicts {
  readonly #keys = new Map<string, CrashKey>();
  /** Stacks whose input did nothing when it was executed alone. */
  readonly #harmless = new Set<string>();
  #replays = 0;

  constructor(private readonly parts: VerdictParts) {}

  /** @param words what the target printed of the input, its functions not named */
  async judge(input: Buffer, { words, why }: { words: string; why: string }): Promise<void> {
    const { findings, log } = this.parts;
    if (findings.metAgain(digestOf(input))) return;
    // Slow inputs are alike as far as is known: to execute each would take long.
    const stack = why === 'slow' ? why : stackOf(words);
    if (this.#harmless.has(stack)) return;
    const known = stack === '' ? undefined : this.#keys.get(stack);
    const verdict = known && findings.judge(input, known);
    if (verdict && !verdict.isKept) return;
    if (this.#replays >= mostReplays) {
      if (!verdict) findings.metLost();
      return;
    }
    this.#replays += 1;
    await this.#report(input, stack, verdict).catch((error) => {
      this.parts.signal.throwIfAborted();
      log.warn({ why: messageOf(error) }, 'crash replay failed');
    });
  }

  async #report(input: Buffer, stack: string, judged: Verdict | undefined): Promise<void> {
    const { findings, spool, lease, folder, spec, engine, engineVersion, signal } = this.parts;
    // Apart from the replays of what the engine finds meanwhile.
    const own = { ...this.parts, folder: { ...folder, replay: folder.judged } };
    const { report, command, exit, isCrash } = await replay(input, own);
    signal.throwIfAborted();
    // Not within the job's own limits: it is only slow, or crashes after others.
    if (!isCrash) {
      if (stack !== '') this.#harmless.add(stack);
      return;
    }
    const key = keyOf(report);
    if (stack !== '') this.#keys.set(stack, key);
    const { isKept, hits, kept } = judged ?? findings.judge(input, key);
    if (!isKept) return;
    const environment = { TMPDIR: folder.temporary, ...command.environment };
    const start = { engine: engine.name, engineVersion, spec, command, environment };
    const context = crashContext({ start, exit, executions: 0, replayCommand: command });
    const onAcknowledged = (crashId: string) => {
      if (kept) kept.crashId = crashId;
    };
    const crash = { lease, input, report, context, hits, onAcknowledged };
    await spool.add(crash, () => folder.releaseReserve());
  }
}

/** Places of the innermost frames in their files; '' where there is no stack. */
function stackOf(words: string): string {
  const report = words.slice(Math.max(words.indexOf('ERROR: '), 0));
  const places = [...report.matchAll(/^\s*#\d+ 0x[0-9a-f]+\s+\(([^()\s]{1,500})/gm)];
  const headline = /ERROR: [A-Za-z]+: ?([A-Za-z-]+)/.exec(report)?.[1] ?? '';
  const frames = places.slice(0, comparedFrames).map(([, place]) => place);
  return frames.length === 0 ? '' : [headline, ...frames].join(' ');
}
