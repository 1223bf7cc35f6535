import type { RequestContext } from '../core/context.js';
import { OverloadError, ShuttingDownError } from '../core/errors.js';
import type { Signal } from '../core/signal.js';
import { atEndOfTurn } from '../core/turn-batch.js';
import type { Call, Settled } from './call.js';
import type { Operation, Urgency } from './operation.js';
import { UrgencyQueue } from './queue.js';

type Outcome = Settled<unknown>;

/** A database thread or connection. Runs one group at a time. */
export interface LaneThread {
  /** Outcomes come in the order of the calls. */
  run(calls: readonly Call[]): Promise<{ outcomes: readonly Outcome[]; durationMs: number }>;
  close(): Promise<void>;
}

/** Calls that arrived together, and are answered when all of them have run. */
class Batch {
  readonly #outcomes: Outcome[];
  #left: number;
  /** The caller has been answered. */
  isOver = false;
  readonly #onAbort = () => this.abandon(this.signal.reason);

  constructor(
    private readonly signal: Signal,
    count: number,
    private readonly resolve: (outcomes: readonly Outcome[]) => void,
    private readonly reject: (reason: unknown) => void,
  ) {
    this.#outcomes = new Array(count);
    this.#left = count;
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  settle(index: number, outcome: Outcome): void {
    this.#outcomes[index] = outcome;
    if (--this.#left > 0 || this.isOver) return;
    this.#end();
    this.resolve(this.#outcomes);
  }

  abandon(reason: unknown): void {
    if (this.isOver) return;
    this.#end();
    this.reject(reason);
  }

  #end(): void {
    this.isOver = true;
    this.signal.removeEventListener('abort', this.#onAbort);
  }
}

class Waiting {
  constructor(
    readonly call: Call,
    readonly cost: number,
    private readonly batch: Batch,
    private readonly index: number,
  ) {}

  /** The caller's time is up, or the caller is gone: the call must not run any more. */
  get abandoned(): boolean {
    return this.batch.isOver;
  }

  settle(outcome: Outcome): void {
    this.batch.settle(this.index, outcome);
  }

  abandon(reason: unknown): void {
    this.batch.abandon(reason);
  }
}

/** The properties of an operation that decide when it is taken. */
type Rank = Pick<Operation<never, unknown>, 'urgency' | 'cost'>;

export interface LaneOptions {
  /** Calls of one urgency that may wait. */
  readonly maxQueued: number;
  /** The setting that says so. */
  readonly quota?: string;
  /** A thread takes calls until their costs add up to this. */
  readonly groupSize: number;
  /** Called whenever the number of busy threads has changed. */
  readonly onBusyChange?: (busy: number) => void;
  /** Called after every group: how many calls it had, and how long the thread was busy with it. */
  readonly onGroup?: (calls: number, durationMs: number) => void;
}

/**
 * A bounded queue in front of database threads. While a thread works on one group, the
 * next group gathers; with a single writing thread that is group commit. A call that is
 * abandoned while it waits never runs.
 */
export class Lane<Thread extends LaneThread> {
  readonly #idle: Thread[];
  #busy = 0;
  readonly #queue: UrgencyQueue<Waiting>;
  readonly #interludes: ((thread: Thread) => Promise<void>)[] = [];
  #scheduled = false;
  #closed = false;
  #becameIdle = () => {};

  constructor(
    threads: readonly Thread[],
    private readonly options: LaneOptions,
  ) {
    this.#idle = [...threads];
    this.#queue = new UrgencyQueue(options.maxQueued);
  }

  depthOf(urgency: Urgency): number {
    return this.#queue.depthOf(urgency);
  }

  /**
   * Settles with the call's outcome, or rejects as soon as the context aborts: then a
   * call still queued is dropped; a call already running completes and its result is
   * discarded.
   *
   * @throws OverloadError, ShuttingDownError
   */
  run(ctx: RequestContext, call: Call, rank: Rank): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const settle = ([outcome]: readonly Outcome[]) => {
        if (outcome?.ok) resolve(outcome.value);
        else reject(outcome?.error);
      };
      this.#enqueue(ctx.signal, [call], rank, { resolve: settle, reject });
    });
  }

  /** As `run`, for many calls, each with an outcome of its own. */
  runEach(ctx: RequestContext, calls: readonly Call[], rank: Rank): Promise<readonly Outcome[]> {
    if (calls.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#enqueue(ctx.signal, calls, rank, { resolve, reject });
    });
  }

  #enqueue(
    signal: Signal,
    calls: readonly Call[],
    { urgency, cost }: Rank,
    promise: {
      resolve: (outcomes: readonly Outcome[]) => void;
      reject: (reason: unknown) => void;
    },
  ): void {
    if (this.#closed || signal.aborted) {
      promise.reject(this.#closed ? new ShuttingDownError() : signal.reason);
      return;
    }
    const batch = new Batch(signal, calls.length, promise.resolve, promise.reject);
    for (const [index, call] of calls.entries()) {
      if (this.#queue.push(urgency, new Waiting(call, cost, batch, index))) continue;
      const what = 'too many database operations are waiting';
      const { quota } = this.options;
      const error = new OverloadError({ what, retryAfterMs: 1000, ...(quota && { quota }) });
      batch.settle(index, { ok: false, error });
    }
    this.#schedule();
  }

  /** Runs `interlude` on a thread between two groups. It must not fail. */
  between(interlude: (thread: Thread) => Promise<void>): void {
    if (this.#closed) return;
    this.#interludes.push(interlude);
    this.#schedule();
  }

  /** Runs what is queued, takes nothing new, and ends the threads. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#queue.size + this.#interludes.length + this.#busy > 0) {
      await new Promise<void>((resolve) => {
        this.#becameIdle = resolve;
      });
    }
    await Promise.all(this.#idle.map((thread) => thread.close()));
  }

  /** Dispatches after this turn of the event loop, so that calls of one turn share a group. */
  #schedule(): void {
    if (this.#scheduled || this.#idle.length === 0) return;
    this.#scheduled = true;
    atEndOfTurn(() => {
      this.#scheduled = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (this.#interludes.length > 0 || this.#queue.size > 0) {
      const thread = this.#idle.pop();
      if (!thread) return;
      const interlude = this.#interludes.shift();
      const group = interlude ? [] : this.#queue.take(this.options.groupSize);
      if (!interlude && group.length === 0) {
        this.#idle.push(thread);
        continue;
      }
      this.#busy++;
      this.options.onBusyChange?.(this.#busy);
      void this.#use(thread, () => (interlude ? interlude(thread) : this.#work(thread, group)));
    }
    if (this.#busy === 0) this.#becameIdle();
  }

  async #use(thread: Thread, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#idle.push(thread);
    } catch (error) {
      // The thread has died. It does not come back: the master ends (see app.ts).
      if (this.#idle.length + this.#busy === 1) this.#abandonAll(error);
    }
    this.#busy--;
    this.options.onBusyChange?.(this.#busy);
    this.#dispatch();
  }

  async #work(thread: Thread, group: readonly Waiting[]): Promise<void> {
    try {
      const { outcomes, durationMs } = await thread.run(group.map((waiting) => waiting.call));
      this.options.onGroup?.(group.length, durationMs);
      for (const [index, waiting] of group.entries()) {
        waiting.settle(outcomes[index] as Outcome);
      }
    } catch (error) {
      for (const waiting of group) waiting.abandon(error);
      throw error;
    }
  }

  #abandonAll(error: unknown): void {
    this.#closed = true;
    for (const waiting of this.#queue.removeAll()) waiting.abandon(error);
  }
}
