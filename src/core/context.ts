import { type Clock, systemClock, type Timer } from './clock.js';
import { TimeoutError } from './errors.js';
import { countedIds } from './ids.js';
import type { Logger } from './log.js';
import { LightSignal, type Signal } from './signal.js';

/**
 * First argument of everything below a handler: how long this operation may
 * take, who asked, and where to write about it.
 */
export interface RequestContext {
  /** Aborts at the deadline (TimeoutError), when the caller goes (CancelledError) or the master does. */
  readonly signal: Signal;
  /** `clock.monotonic()` value at which the signal aborts. */
  readonly deadline: number;
  readonly requestId: string;
  /** Who asked; "anonymous" until somebody has to say. */
  readonly principal: string;
  readonly log: Logger;
}

/**
 * A RequestContext with an owner: whoever makes one calls `end()` when the
 * operation is over, which frees its timer.
 */
export class OperationContext implements RequestContext {
  readonly deadline: number;
  readonly requestId: string;
  readonly principal: string;
  readonly #signal = new LightSignal();
  #timer: Timer | undefined;
  readonly #operation: string;
  readonly #timeoutMs: number;
  #log: Logger;
  #bindings: ((requestId: string) => object) | undefined;

  constructor(options: {
    operation: string;
    /** Infinity: no deadline; zero or less: expired on arrival. */
    timeoutMs: number;
    requestId: string;
    log: Logger;
    /** What every line of this operation's log says; asked for with the first line. */
    bindings?: (requestId: string) => object;
    principal?: string;
    clock?: Clock;
  }) {
    const clock = options.clock ?? systemClock;
    this.requestId = options.requestId;
    this.principal = options.principal ?? 'anonymous';
    this.#log = options.log;
    this.#bindings = options.bindings;
    this.#timeoutMs = options.timeoutMs;
    this.#operation = options.operation;
    this.deadline = clock.monotonic() + options.timeoutMs;
    if (options.timeoutMs <= 0) this.expire();
    else if (Number.isFinite(options.timeoutMs)) {
      this.#timer = clock.schedule(options.timeoutMs, () => this.expire());
    }
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

  /** Its time is up. */
  expire(): void {
    const durationMs = Math.max(this.#timeoutMs, 0);
    this.abort(new TimeoutError({ operation: this.#operation, durationMs }));
  }

  abort(reason: unknown): void {
    this.end();
    this.#signal.abort(reason);
  }

  end(): void {
    this.#timer?.cancel();
  }
}

/**
 * Settles as `work` does, or rejects with the signal's reason once it aborts,
 * whichever comes first. The work itself goes on; only the wait ends.
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

/** Runs work nobody called for (expiry, dispatch, flushes) under a deadline of its own. */
export type InBackground = <T>(
  operation: string,
  work: (ctx: RequestContext) => Promise<T>,
) => Promise<T>;

export function backgroundRunner(options: { timeoutMs: number; log: Logger }): InBackground {
  const newRequestId = countedIds();
  return async (operation, work) => {
    const ids = { requestId: newRequestId(), principal: 'master' };
    const ctx = new OperationContext({ ...options, ...ids, operation });
    try {
      return await work(ctx);
    } finally {
      ctx.end();
    }
  };
}
