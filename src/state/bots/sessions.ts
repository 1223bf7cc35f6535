import type { LiveLease } from '../leases/leases.js';
import type { Offer } from '../scheduling/matching.js';

/** A bot on the line, as the rest of the state layer sees it. */
export interface SessionHandle {
  readonly botId: string;
  /** Of two sessions of a bot, the one with the greater is the newer. */
  readonly arrival: number;
  /** Slots it has announced and not been given a job for. */
  readonly freeSlots: number;
  /** What it was registered with when it came. */
  readonly offer: Offer;
  readonly isDraining: boolean;
  /** It is given nothing for a while, for troubles of its own. */
  readonly isResting: boolean;
  /** Asks it to stop a run. */
  cancel(lease: LiveLease): void;
  /** Gives it nothing new, or work again. */
  drain(isDraining: boolean): void;
  /** There is no such bot any more. */
  forget(): void;
  /** Asks it to come back later; its stream ends next. */
  goAway(reason: string, reconnectAfterMs: number): void;
  /** Somebody looks whether it says anything: if it did not for some looks, its stream ends. */
  checkSilence(): void;
  /** A newer stream of the same bot took over. */
  replace(): void;
}

/** Who is on the line: one session a bot. */
export class Sessions {
  readonly #byBot = new Map<string, SessionHandle>();
  #arrivals = 0;

  get online(): number {
    return this.#byBot.size;
  }

  of(botId: string): SessionHandle | undefined {
    return this.#byBot.get(botId);
  }

  all(): Iterable<SessionHandle> {
    return this.#byBot.values();
  }

  /** A Hello has come: the `arrival` of the session that it opens. */
  arrive(): number {
    return ++this.#arrivals;
  }

  /** Ends the bot's earlier session, if it has one. */
  enter(session: SessionHandle): void {
    this.#byBot.get(session.botId)?.replace();
    this.#byBot.set(session.botId, session);
  }

  /**
   * Ends the streams of bots that say nothing: of a machine that vanished, nobody else
   * tells. To be called once in a lease's time; goes by the calls and not by a clock, so
   * that a master that stood still ends nobody's stream for that.
   */
  checkSilence(): void {
    for (const session of this.#byBot.values()) session.checkSilence();
  }

  /** Tells every bot that its stream is about to end. */
  goAway(reason: string, reconnectAfterMs: number): void {
    for (const session of this.#byBot.values()) session.goAway(reason, reconnectAfterMs);
  }

  leave(session: SessionHandle): void {
    if (this.#byBot.get(session.botId) === session) this.#byBot.delete(session.botId);
  }
}
