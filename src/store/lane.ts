import type { RequestContext } from '../core/context.js';
import { OverloadError, ShuttingDownError } from '../core/errors.js';
import { fromWire } from './faults.js';
import type { Call, Outcome } from './group-commit.js';
import type { DatabaseThread } from './thread.js';

interface Waiting {
  readonly call: Call;
  readonly settle: (outcome: Outcome) => void;
  readonly abandon: (reason: unknown) => void;
  /** The caller's time is up, or the caller is gone: not to be run any more. */
  abandoned: boolean;
}

/**
 * A bounded queue in front of database threads. While a thread works on one
 * group, the next one gathers; with a single writing thread that is group
 * commit. What is abandoned while it waits is never run.
 */
export class Lane {
  readonly #idle: DatabaseThread[];
  readonly #busy = new Set<DatabaseThread>();
  #queue: Waiting[] = [];
  #closed = false;
  #drained = () => {};

  constructor(
    threads: readonly DatabaseThread[],
    private readonly options: {
      /** Calls that may wait. */
      maxQueued: number;
      /** Calls a thread takes at once. */
      groupSize: number;
      /** Told whenever the number of threads at work has changed. */
      onBusyChange?: (busy: number) => void;
    },
  ) {
    this.#idle = [...threads];
  }

  get queued(): number {
    return this.#queue.length;
  }

  /**
   * Settles with the call's outcome, or rejects as soon as the context aborts:
   * a call that was still waiting then never runs; one that was running ends
   * unheard.
   *
   * @throws OverloadError, ShuttingDownError
   */
  run(ctx: RequestContext, call: Call): Promise<unknown> {
    if (this.#closed) return Promise.reject(new ShuttingDownError());
    if (ctx.signal.aborted) return Promise.reject(ctx.signal.reason);
    if (this.#queue.length >= this.options.maxQueued) {
      const what = 'too many database operations are waiting';
      return Promise.reject(new OverloadError({ what, retryAfterMs: 1000 }));
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => waiting.abandon(ctx.signal.reason);
      const waiting: Waiting = {
        call,
        abandoned: false,
        settle: (outcome) => {
          ctx.signal.removeEventListener('abort', onAbort);
          if (outcome.ok) resolve(outcome.value);
          else reject(fromWire(outcome.error));
        },
        abandon: (reason) => {
          ctx.signal.removeEventListener('abort', onAbort);
          waiting.abandoned = true;
          reject(reason);
        },
      };
      ctx.signal.addEventListener('abort', onAbort, { once: true });
      this.#queue.push(waiting);
      // After this turn of the event loop, so that what comes together goes together.
      if (this.#queue.length === 1) setImmediate(() => this.#dispatch());
    });
  }

  /** Runs what is queued, takes nothing new, and ends the threads. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#queue.length > 0 || this.#busy.size > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    await Promise.all(this.#idle.map((thread) => thread.close()));
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const thread = this.#idle.pop();
      if (!thread) return;
      const group = this.#nextGroup();
      if (group.length === 0) {
        this.#idle.push(thread);
        break;
      }
      this.#busy.add(thread);
      this.options.onBusyChange?.(this.#busy.size);
      void this.#work(thread, group);
    }
    if (this.#queue.length === 0 && this.#busy.size === 0) this.#drained();
  }

  #nextGroup(): Waiting[] {
    const group: Waiting[] = [];
    let taken = 0;
    for (const waiting of this.#queue) {
      if (group.length === this.options.groupSize) break;
      taken++;
      if (!waiting.abandoned) group.push(waiting);
    }
    this.#queue = this.#queue.slice(taken);
    return group;
  }

  async #work(thread: DatabaseThread, group: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await thread.run(group.map((waiting) => waiting.call));
      for (const [index, waiting] of group.entries()) {
        if (!waiting.abandoned) waiting.settle(outcomes[index] as Outcome);
      }
      this.#idle.push(thread);
    } catch (error) {
      // The thread has died. It does not come back: the master ends (see app.ts).
      const lost = this.#idle.length + this.#busy.size === 1 ? [...group, ...this.#queue] : group;
      for (const waiting of lost) if (!waiting.abandoned) waiting.abandon(error);
      if (lost !== group) this.#closed = true;
      if (lost !== group) this.#queue = [];
    }
    this.#busy.delete(thread);
    this.options.onBusyChange?.(this.#busy.size);
    this.#dispatch();
  }
}
