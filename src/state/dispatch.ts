import type { Clock, Timer } from '../core/clock.js';
import type { InBackground } from '../core/context.js';
import type { Logger } from '../core/log.js';
import { claimJob } from '../store/ops/claim-job.js';
import type { JobRow } from '../store/rows.js';
import type { Store } from '../store/store.js';

/**
 * Brings pending jobs and free slots together the moment both exist.
 *
 * A taker is somebody with credit: free slots announced on a stream, or a unary
 * AssignJob that waits. A claim is one statement in the store, which picks the
 * job; here is only decided who claims, and when. An engine whose last claim
 * came back empty is drained, and not asked about again before a job arrives
 * for it. A job that arrives while a claim is under way is told apart by the
 * engine's count of arrivals, so that no arrival is ever slept over.
 */
export interface Taker {
  readonly botId: string;
  readonly engines: readonly string[];
  /** Length of the leases it is given, milliseconds. */
  readonly ttlMs: number;
  /** Taking the job is the acknowledgement. */
  readonly acknowledged: boolean;
  /** Jobs it can still be given; claims under way are already taken off. */
  credit: number;
  /** Claims under way. Kept by Dispatch. */
  claiming: number;
  /** It has left. */
  gone: boolean;
  /** The job is claimed and on disk; the taker's credit was lowered for it. */
  receive(job: JobRow): void;
}

/** Claims under way at once; more would only queue in the store. */
const claimsAtOnce = 64;
/** Pause after a claim that failed (a locked database, too much work). */
const retryClaimsAfterMs = 500;

export class Dispatch {
  /** Takers with credit, by engine, each in the order in which they became free. */
  readonly #hungry = new Map<string, Set<Taker>>();
  /** Engines with nothing pending, as far as is known. */
  readonly #drained = new Set<string>();
  readonly #arrivals = new Map<string, number>();
  #claiming = 0;
  #pause: Timer | undefined;
  #stopped = false;

  constructor(
    private readonly store: Pick<Store, 'run'>,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly inBackground: InBackground,
  ) {}

  stop(): void {
    this.#stopped = true;
    this.#pause?.cancel();
  }

  /** A job waits for a bot: a new one, or one that was given back. */
  jobPending(engine: string): void {
    this.#arrivals.set(engine, (this.#arrivals.get(engine) ?? 0) + 1);
    this.#drained.delete(engine);
    this.#pump();
  }

  /** The taker's credit has changed, or it is new. */
  creditChanged(taker: Taker): void {
    this.#seat(taker);
    this.#pump();
  }

  /** The taker is gone. A claim already under way still reaches its `receive`. */
  leave(taker: Taker): void {
    taker.credit = 0;
    taker.gone = true;
    this.#seat(taker);
  }

  #seat(taker: Taker): void {
    for (const engine of taker.engines) {
      const takers = this.#hungry.get(engine);
      if (taker.credit <= 0) takers?.delete(taker);
      else if (takers) takers.add(taker);
      else this.#hungry.set(engine, new Set([taker]));
    }
  }

  #pump(): void {
    if (this.#stopped || this.#pause) return;
    while (this.#claiming < claimsAtOnce) {
      const taker = this.#next();
      if (!taker) return;
      taker.credit--;
      taker.claiming++;
      this.#stepBack(taker);
      void this.#claim(taker);
    }
  }

  /** Whoever has waited longest for an engine that may have work. */
  #next(): Taker | undefined {
    for (const [engine, takers] of this.#hungry) {
      if (takers.size === 0) this.#hungry.delete(engine);
      else if (!this.#drained.has(engine)) return takers.values().next().value;
    }
    return undefined;
  }

  /** Whoever was served goes to the end of the line. */
  #stepBack(taker: Taker): void {
    for (const engine of taker.engines) this.#hungry.get(engine)?.delete(taker);
    this.#seat(taker);
  }

  async #claim(taker: Taker): Promise<void> {
    const arrivals = taker.engines.map((engine) => this.#arrivals.get(engine));
    this.#claiming++;
    let job: JobRow | undefined;
    try {
      job = await this.inBackground('claim_job', (ctx) =>
        this.store.run(ctx, claimJob, {
          botId: taker.botId,
          engines: taker.engines,
          ttlMs: taker.ttlMs,
          acknowledged: taker.acknowledged,
          now: this.clock.now(),
        }),
      );
      if (!job) this.#markDrained(taker, arrivals);
    } catch (error) {
      this.log.warn({ err: error }, 'a claim failed');
      this.#rest();
    }
    this.#claiming--;
    taker.claiming--;
    if (job) taker.receive(job);
    else this.#giveBack(taker);
    this.#pump();
  }

  #markDrained(taker: Taker, arrivals: readonly (number | undefined)[]): void {
    for (const [index, engine] of taker.engines.entries()) {
      if (this.#arrivals.get(engine) === arrivals[index]) this.#drained.add(engine);
    }
  }

  #giveBack(taker: Taker): void {
    if (taker.gone) return;
    taker.credit++;
    this.#seat(taker);
  }

  #rest(): void {
    this.#pause ??= this.clock.schedule(retryClaimsAfterMs, () => {
      this.#pause = undefined;
      this.#pump();
    });
  }
}
