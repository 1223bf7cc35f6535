import { systemClock } from '../../../core/clock.js';
import { orAbort } from '../../../core/context.js';
import {
  DomainError,
  messageOf,
  RetryExhaustedError,
  ShuttingDownError,
} from '../../../core/errors.js';
import type { Logger } from '../../../core/log.js';
import { executeWithRetry } from '../../../core/retry.js';
import { LightSignal, type Signal } from '../../../core/signal.js';
import {
  inBrief,
  inOneWord,
  isMissing,
  isPassing,
  isThere,
  isUnknownToServer,
  NoObjectError,
  SilenceError,
} from './faults.js';

/** Slowest transfer of a request's bytes that is waited for: 256 KiB a second. */
const slowestBytesPerMs = 256;
const pauses = { firstDelayMs: 100, maxDelayMs: 3000, multiplier: 3 } as const;

/** Lines of requests that were given up are that far apart. */
const logEveryMs = 5000;

/** What requests of a store of blobs count. */
export interface RequestCounts {
  /** A try failed, and another one follows, or none. */
  failed(operation: string): void;
}

export interface RequestsOptions {
  readonly timeoutMs: number;
  readonly maxRetries: number;
  readonly log: Logger;
  readonly counts: RequestCounts;
}

export interface RequestTerms {
  /** put, get, head, list, delete …: for the log and the metrics. */
  readonly name: string;
  /** That travel with it, in its own time. */
  readonly bytes?: number;
  /** Of the caller who waits; absent: nobody leaves. */
  readonly signal?: Signal;
}

/** Gives every request a deadline, and repeats it a bounded number of times, with growing pauses. */
export class Requests {
  /** What the request that was given up last has met: the start reports it. */
  lastFailure: unknown;

  readonly #running = new Set<AbortController>();
  #isStopped = false;
  #quietUntil = Number.NEGATIVE_INFINITY;
  #unlogged = 0;

  constructor(private readonly options: RequestsOptions) {}

  get timeoutMs(): number {
    return this.options.timeoutMs;
  }

  /**
   * @param work must end what it began when its signal aborts
   * @throws NoObjectError; the signal's reason; RetryExhaustedError, which callers of a
   *   master get as UNAVAILABLE; the server's 412 (a condition is not met) and 501 as they are
   */
  async run<T>(terms: RequestTerms, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { maxRetries } = this.options;
    const signal = terms.signal ?? new LightSignal();
    const operation = `S3 ${terms.name}`;
    let lastError: unknown;
    try {
      return await executeWithRetry(
        { signal, deadline: Number.POSITIVE_INFINITY },
        { maxRetries, ...pauses },
        () => this.#once(terms, signal, work),
        {
          operation,
          isRetryable: (error) => {
            lastError = error;
            const isAnswer =
              isMissing(error, terms.name) || isThere(error) || isUnknownToServer(error);
            if (!isAnswer && !signal.aborted) this.failed(terms.name);
            return !signal.aborted && isPassing(error);
          },
        },
      );
    } catch (error) {
      if (isMissing(error, terms.name)) throw new NoObjectError(messageOf(error));
      const isKnown = error instanceof DomainError && !(error instanceof RetryExhaustedError);
      if (signal.aborted || isKnown || isThere(error) || isUnknownToServer(error)) throw error;
      const attempts = error instanceof RetryExhaustedError ? error.fields.attempts : 1;
      throw this.giveUp(terms.name, attempts, lastError ?? error);
    }
  }

  /** Counts a try that failed. */
  failed(name: string): void {
    this.options.counts.failed(name);
  }

  /** The error of a request that was tried often enough. */
  giveUp(name: string, attempts: number, cause: unknown): RetryExhaustedError {
    this.lastFailure = cause;
    const operation = `S3 ${name}`;
    this.#log({ operation, attempts, why: inBrief(cause) });
    const lastError = inOneWord(cause);
    const fields = { operation, attempts, lastError, retryAfterMs: pauses.maxDelayMs };
    return new RetryExhaustedError(fields);
  }

  /** While a server is away, every upload of a fleet fails. */
  #log(about: object): void {
    const now = systemClock.monotonic();
    if (now < this.#quietUntil) {
      this.#unlogged += 1;
      return;
    }
    const more = this.#unlogged;
    this.options.log.warn({ ...about, ...(more > 0 && { more }) }, 'blob request failed');
    this.#quietUntil = now + logEveryMs;
    this.#unlogged = 0;
  }

  /** Ends what is under way, and lets nothing begin. Idempotent. */
  stop(): void {
    this.#isStopped = true;
    for (const stop of this.#running) stop.abort(new ShuttingDownError());
  }

  async #once<T>(
    { bytes = 0, name }: RequestTerms,
    caller: Signal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (this.#isStopped) throw new ShuttingDownError();
    const stop = new AbortController();
    this.#running.add(stop);
    const withinMs = this.options.timeoutMs + bytes / slowestBytesPerMs;
    const timer = systemClock.schedule(withinMs, () =>
      stop.abort(new SilenceError(`no answer to ${name} within ${Math.round(withinMs)} ms`)),
    );
    const onAbort = () => stop.abort(caller.reason);
    caller.addEventListener('abort', onAbort, { once: true });
    try {
      // The library may not see the signal at once.
      return await orAbort(stop.signal, work(stop.signal));
    } finally {
      timer.cancel();
      this.#running.delete(stop);
      caller.removeEventListener('abort', onAbort);
    }
  }
}
