import type { Change } from './audit.js';
import { type Clock, systemClock, type Timer } from './clock.js';
import { TimeoutError } from './errors.js';
import { countedIds } from './ids.js';
import type { Logger } from './log.js';
import { anonymous, master, type Principal } from './principal.js';
import { LightSignal, type Signal } from './signal.js';

/**
 * First argument of every function below a handler: deadline, caller and log of one
 * operation.
 */
export interface RequestContext {
  /** Aborts at the deadline (TimeoutError), when the caller leaves (CancelledError) or the master stops. */
  readonly signal: Signal;
  /** `clock.monotonic()` value at which the signal aborts. */
  readonly deadline: number;
  readonly requestId: string;
  /** The caller. */
  readonly principal: Principal;
  readonly log: Logger;
  /** Nobody on the way can read the answers: TLS, or the same machine. */
  readonly isPrivate?: boolean;
  /** The change that is made, for the audit log; undefined: nothing to note. */
  readonly change?: Change | undefined;
}

/**
 * A RequestContext with an owner, which calls `end()` after the operation to free the
 * timer.
 */
export class OperationContext implements RequestContext {
  readonly requestId: string;
  readonly principal: Principal;
  change: Change | undefined;
  isPrivate = false;
  readonly #signal = new LightSignal();
  readonly #clock: Clock;
  #deadline: number;
  /** No `renew` moves the deadline past this. */
  readonly #latest: number;
  #timer: Timer | undefined;
  /** When the timer looks at the deadline; not before it is due. */
  #looksAt = Number.POSITIVE_INFINITY;
  readonly #operation: string;
  readonly #timeoutMs: number;
  #expired: (() => unknown) | undefined;
  #hasEnded = false;
  #log: Logger;
  #bindings: ((requestId: string) => object) | undefined;

  constructor(options: {
    operation: string;
    /** Infinity: no deadline; zero or less: expired on arrival. */
    timeoutMs: number;
    requestId: string;
    log: Logger;
    /** Fields of every log line of this operation; made for the first line only. */
    bindings?: (requestId: string) => object;
    principal?: Principal;
    clock?: Clock;
  }) {
    const clock = options.clock ?? systemClock;
    this.requestId = options.requestId;
    this.principal = options.principal ?? anonymous;
    this.#log = options.log;
    this.#bindings = options.bindings;
    this.#timeoutMs = options.timeoutMs;
    this.#operation = options.operation;
    this.#clock = clock;
    this.#deadline = this.#latest = clock.monotonic() + options.timeoutMs;
    if (options.timeoutMs <= 0) this.expire();
    else this.#arm(options.timeoutMs);
  }

  get deadline(): number {
    return this.#deadline;
  }

  /**
   * Moves the deadline to `timeoutMs` from now, but not past the caller's own. For work in
   * steps: each has a deadline, the whole has none.
   *
   * @param expired makes the reason when that deadline passes
   */
  renew(timeoutMs: number, expired: () => unknown): void {
    if (this.#hasEnded) return;
    const now = this.#clock.monotonic();
    const isSooner = now + timeoutMs < this.#latest;
    this.#deadline = isSooner ? now + timeoutMs : this.#latest;
    this.#expired = isSooner ? expired : undefined;
    // A later deadline needs no new timer: the old one looks, and waits on.
    if (this.#deadline < this.#looksAt) this.#arm(this.#deadline - now);
  }

  #arm(delayMs: number): void {
    if (!Number.isFinite(delayMs)) return;
    this.#timer?.cancel();
    this.#looksAt = this.#clock.monotonic() + delayMs;
    this.#timer = this.#clock.schedule(delayMs, () => {
      const leftMs = this.#deadline - this.#clock.monotonic();
      if (leftMs > 0) this.#arm(leftMs);
      else this.expire();
    });
  }

  get log(): Logger {
    if (this.#bindings) {
      this.#log = this.#log.child(this.#bindings(this.requestId));
      this.#bindings = undefined;
    }
    return this.#log;
  }

  get signal(): Signal {
    return this.#signal;
  }

  /** Aborts with TimeoutError. */
  expire(): void {
    const durationMs = Math.max(this.#timeoutMs, 0);
    const usual = () => new TimeoutError({ operation: this.#operation, durationMs });
    this.abort((this.#expired ?? usual)());
  }

  abort(reason: unknown): void {
    this.end();
    this.#signal.abort(reason);
  }

  end(): void {
    this.#hasEnded = true;
    this.#timer?.cancel();
  }
}

/**
 * Settles as `work` does, or rejects with the signal's reason once it aborts, whichever
 * happens first. The work itself continues; only the wait ends.
 */
export function orAbort<T>(signal: Signal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work.then(
      (value) => {
        signal.removeEventListener('abort', onAbort);
        resolve(value);
      },
      (error) => {
        signal.removeEventListener('abort', onAbort);
        reject(error);
      },
    );
  });
}

/** Runs background work (expiry, dispatch, flushes) under its own deadline. */
export type InBackground = <T>(
  operation: string,
  work: (ctx: RequestContext) => Promise<T>,
) => Promise<T>;

export function backgroundRunner(options: {
  timeoutMs: number;
  log: Logger;
  clock?: Clock;
}): InBackground {
  const newRequestId = countedIds();
  return async (operation, work) => {
    const ids = { requestId: newRequestId(), principal: master };
    const ctx = new OperationContext({ ...options, ...ids, operation });
    try {
      return await work(ctx);
    } finally {
      ctx.end();
    }
  };
}
