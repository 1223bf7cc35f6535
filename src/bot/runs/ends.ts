import type { Logger } from '../../core/log.js';
import { JobOutcome } from '../../gen/pandafuzz/v1/job.js';
import type { SandboxExit } from '../sandbox/sandbox.js';
import type { EndedStart } from './start.js';
import type { Stint } from './stint.js';

/** How fuzzing ended. */
export interface FuzzEnd {
  readonly outcome: JobOutcome;
  readonly message: string;
}

interface Unexplained {
  times: number;
  /** Executions that were printed before; the engine prints them seldom. */
  fewest: number;
  most: number;
}

/** What people have to know about the starts of one attempt, besides figures and crashes. */
export class Story {
  readonly #unexplained = new Map<string, Unexplained>();
  #isSilent = false;
  #lost = 0;
  #hasFuzzedSilently = false;

  constructor(private readonly stint: Pick<Stint, 'isKnown' | 'range'>) {}

  /** Whether a start that printed nothing has fuzzed, as far as its files and its end show. */
  get hasFuzzedSilently(): boolean {
    return this.#hasFuzzedSilently;
  }

  add({ progress, isFuzzing, harvest, exit }: EndedStart, isTimeUp: boolean): void {
    this.#lost += harvest.lost;
    if (!progress.isSilent) return;
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
    return { outcome: JobOutcome.COMPLETED, message: this.#notes.join('. ') };
  }

  infrastructure(why: string): FuzzEnd {
    return { outcome: JobOutcome.INFRASTRUCTURE, message: [why, ...this.#notes].join('. ') };
  }

  get #notes(): string[] {
    const { isKnown, range } = this.stint;
    const notes = [...this.#unexplained].map(([how, { times, fewest, most }]) => {
      const often = times === 1 ? 'once' : `${times} times`;
      const after = isKnown ? between(range) : `at least ${between([fewest, most])}`;
      return `the target ended by itself ${often} without a report (${how}), after ${after} executions`;
    });
    if (this.#isSilent) {
      notes.push(
        'the target closed or redirected its standard error, so executions and coverage are not all known',
      );
    }
    if (this.#lost > 0) {
      notes.push(`${this.#lost} crashing inputs are lost: a full disk cut them off`);
    }
    return notes;
  }
}

export const describeExit = ({ code, signal, why }: SandboxExit) =>
  [signal ? `killed by ${signal}` : `exit code ${code}`, ...(why ? [why] : [])].join('; ');

const between = ([fewest, most]: readonly [number, number]) =>
  fewest === most ? format(fewest) : `${format(fewest)} to ${format(most)}`;

const format = (count: number) => count.toLocaleString('en-US');
