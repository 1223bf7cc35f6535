import type { Logger } from '../../core/log.js';
import { mostNotes } from '../../core/run-notes.js';
import { JobOutcome, type RunNote, RunNoteKind, StartTrouble } from '../../gen/pandafuzz/v1/job.js';
import type { SandboxExit } from '../sandbox/sandbox.js';
import { format, note } from './notes.js';
import type { EndedStart } from './start.js';
import type { Stint } from './stint.js';
import type { Tally } from './tally.js';

/** How fuzzing ended. */
export interface FuzzEnd {
  readonly outcome: JobOutcome;
  readonly message: string;
  /** Of a failure: no other attempt can do better. */
  readonly final?: boolean;
  /** Of INFRASTRUCTURE: what kept the run from starting. */
  readonly trouble?: StartTrouble;
  /** What is missing, in words that are the same on every bot. */
  readonly cause?: string;
}

interface Unexplained {
  times: number;
  /** Executions that were printed before; the engine prints them seldom. */
  fewest: number;
  most: number;
}

/** From here on a run that still reads its corpus says so, milliseconds. */
const longLoadMs = 10_000;
const targetExits = 3;

export interface StoryParts {
  readonly stint: Pick<Stint, 'isKnown' | 'range'>;
  readonly tally: Pick<Tally, 'loadingMs' | 'executions'>;
  /** Notes of other parts of the run, the most important first. */
  readonly others: () => (RunNote | undefined)[];
}

/** What people have to know about the starts of one attempt, besides figures and crashes. */
export class Story {
  readonly #unexplained = new Map<string, Unexplained>();
  #isSilent = false;
  #lost = 0;
  #removed = 0;
  #ownExecutions = 0;
  #hasFuzzedSilently = false;
  #hasFuzzed = false;

  constructor(private readonly parts: StoryParts) {}

  /** Inputs of the engine's own were executed, as far as its figures, its files and its end show. */
  get hasFuzzed(): boolean {
    return this.#hasFuzzed || this.#hasFuzzedSilently;
  }

  /** The target ended the process without a report, at least once. */
  get hasEndedItself(): boolean {
    return this.#unexplained.size > 0;
  }

  add({ progress, isFuzzing, harvest, exit, removed }: EndedStart, isTimeUp: boolean): void {
    this.#lost += harvest.lost;
    this.#removed += removed;
    const { executions, loaded = 0, isSilent } = progress;
    if (progress.isFuzzing) {
      this.#ownExecutions += Math.max(executions - loaded, 0);
      // An end before its time is none of a corpus that took all of it.
      this.#hasFuzzed ||= this.#ownExecutions > 0 || harvest.hits > 0 || !isTimeUp;
    }
    if (!isSilent) return;
    this.#isSilent ||= isFuzzing;
    this.#hasFuzzedSilently ||= isFuzzing || harvest.hits > 0 || (isTimeUp && exit.code === 0);
  }

  /**
   * The engine was fuzzing, there was time left, and neither a crash nor a limit of its own
   * ended it: as when a library calls `_exit`.
   */
  addUnexplained({ exit, progress: { executions } }: EndedStart, log: Logger): void {
    log.warn({ ...exit, executions }, 'target ended by itself');
    const how = describeExit(exit);
    const known = this.#unexplained.get(how) ?? { times: 0, fewest: executions, most: executions };
    this.#unexplained.set(how, {
      times: known.times + 1,
      fewest: Math.min(known.fewest, executions),
      most: Math.max(known.most, executions),
    });
  }

  completed(): FuzzEnd {
    return { outcome: JobOutcome.COMPLETED, message: this.#texts.join('. ') };
  }

  infrastructure(why: string): FuzzEnd {
    const message = [why, ...this.#texts].join('. ');
    return { outcome: JobOutcome.INFRASTRUCTURE, message, trouble: StartTrouble.MACHINE };
  }

  /** The time is over, and nothing was fuzzed. */
  neverFuzzed(): FuzzEnd {
    const read = `${format(this.parts.tally.executions)} executions`;
    const removed =
      this.#removed > 0 ? `, and ${format(this.#removed)} inputs that crash were put aside` : '';
    const why = `nothing was fuzzed: the target never got past its seeds and its corpus in the time of the job (${read}${removed}); a longer duration, fewer seeds or a merged corpus would help`;
    const rest = this.notes.filter(({ kind }) => kind !== RunNoteKind.CORPUS);
    const texts = rest.map(({ text }) => text);
    return { outcome: JobOutcome.FAILED, message: [why, ...texts].join('. ') };
  }

  get #texts(): string[] {
    return this.notes.map(({ text }) => text);
  }

  /** Current notes, the most important first. */
  get notes(): RunNote[] {
    const notes = [...this.parts.others(), this.#loading, this.#exits, this.#silence, this.#losses];
    return notes.filter((one) => one !== undefined).slice(0, mostNotes);
  }

  get #loading(): RunNote | undefined {
    const { loadingMs = 0, executions } = this.parts.tally;
    if (loadingMs < longLoadMs || this.#isSilent) return undefined;
    const seconds = format(Math.round(loadingMs / 1000));
    return note(
      RunNoteKind.CORPUS,
      `it has not got past its seeds and its corpus for ${seconds} s (${format(executions)} executions): nothing new is fuzzed so far`,
    );
  }

  get #exits(): RunNote | undefined {
    if (this.#unexplained.size === 0) return undefined;
    const { isKnown, range } = this.parts.stint;
    const texts = [...this.#unexplained].slice(0, targetExits).map(([how, exits]) => {
      const often = exits.times === 1 ? 'once' : `${exits.times} times`;
      const { fewest, most } = exits;
      const after = isKnown ? between(range) : `at least ${between([fewest, most])}`;
      return `the target ended by itself ${often} without a report (${how}), after ${after} executions`;
    });
    return note(RunNoteKind.EXITS, texts.join('; '));
  }

  get #silence(): RunNote | undefined {
    const text =
      'the target closed or redirected its standard error, so executions and coverage are not all known';
    return this.#isSilent ? note(RunNoteKind.SILENT, text) : undefined;
  }

  get #losses(): RunNote | undefined {
    const text = `${this.#lost} crashing inputs are lost: a full disk cut them off`;
    return this.#lost > 0 ? note(RunNoteKind.LOST, text) : undefined;
  }
}

export const describeExit = ({ code, signal, why }: SandboxExit) =>
  [signal ? `killed by ${signal}` : `exit code ${code}`, ...(why ? [why] : [])].join('; ');

const between = ([fewest, most]: readonly [number, number]) =>
  fewest === most ? format(fewest) : `${format(fewest)} to ${format(most)}`;
