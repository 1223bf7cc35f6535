import { status as Code } from '@grpc/grpc-js';
import { type Clock, sleep, systemClock } from '../core/clock.js';
import { messageOf, StalledError } from '../core/errors.js';
import { backoffMs, type RetryPolicy } from '../core/retry.js';
import { Standstill } from '../core/standstill.js';
import { failureOf } from './failure.js';

/** Waits between tries of a transfer that gets no further: five minutes in all, on average. */
const tries: RetryPolicy = {
  maxRetries: 40,
  firstDelayMs: 250,
  maxDelayMs: 15_000,
  multiplier: 2,
};

/** Tries where the master itself answers what hardly passes: some four seconds on average. */
const fewRetries = 5;

const passing = new Set([
  Code.UNKNOWN,
  Code.DEADLINE_EXCEEDED,
  Code.ABORTED,
  Code.INTERNAL,
  Code.UNAVAILABLE,
]);

/** Whether a transfer that failed with this error may go on where it broke off. */
export function isPassing(error: unknown): boolean {
  if (error instanceof StalledError) return true;
  const failure = failureOf(error);
  if (!failure) return false;
  return passing.has(failure.code) || failure.reason === 'OVERLOADED';
}

/** An error of the master's own, or other bytes than announced: the same again is likely. */
function isStubborn(error: unknown): boolean {
  const failure = failureOf(error);
  if (!failure) return false;
  return failure.isAnswer && [Code.INTERNAL, Code.DATA_LOSS].includes(failure.code);
}

export interface TriesOptions {
  readonly signal: AbortSignal;
  /** Called when nothing has got further for some seconds, and now and then after that. */
  readonly onTrouble?: ((why: string, forMs: number) => void) | undefined;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** The tries of one transfer, which goes on for as long as it gets further. */
export class Tries {
  #fruitless = 0;
  #stubborn = 0;
  readonly #standstill: Standstill;

  constructor(private readonly options: TriesOptions) {
    const { clock = systemClock, onTrouble = () => {} } = options;
    this.#standstill = new Standstill(clock, onTrouble);
  }

  gotFurther(): void {
    this.#fruitless = 0;
    this.#stubborn = 0;
    this.#standstill.gotFurther();
  }

  /**
   * Waits until the next try.
   *
   * @throws the error when there is to be none
   */
  async again(error: unknown): Promise<void> {
    const { signal, clock = systemClock, random } = this.options;
    this.#fruitless += 1;
    this.#stubborn = isStubborn(error) ? this.#stubborn + 1 : 0;
    const isOver = this.#fruitless > tries.maxRetries || this.#stubborn > fewRetries;
    if (signal.aborted || isOver) throw error;
    this.#standstill.failed(failureOf(error)?.message || messageOf(error));
    await sleep(clock, backoffMs(tries, this.#fruitless, random), signal);
  }
}
