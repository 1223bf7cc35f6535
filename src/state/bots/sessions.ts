import type { BotHealth } from '../../gen/pandafuzz/v1/bot.js';
import type { LiveLease } from '../leases/leases.js';
import { fits, type Need, type Offer } from '../scheduling/matching.js';

/** A bot's heartbeat session, as the rest of the state layer sees it. */
export interface SessionHandle {
  readonly botId: string;
  /** Of the bot's process. */
  readonly instanceId?: string;
  /** Rises with each Hello: the greater one is the newer session of a bot. */
  readonly arrival: number;
  /** Announced slots without a job. */
  readonly freeSlots: number;
  /** Engines, labels and resources at the time of Hello. */
  readonly offer: Offer;
  readonly isDraining: boolean;
  /** It is held back, as its last starts failed. */
  readonly isResting: boolean;
  /** By its last report; undefined: it has reported none. */
  readonly health?: BotHealth | undefined;
  /** The number of jobs that it may get has changed. */
  holdChanged?(): void;
  /** Sends a request to stop a run. */
  cancel(lease: LiveLease): void;
  /** Sends Drain or Resume. */
  drain(isDraining: boolean): void;
  /** Ends the stream of a deleted bot. */
  forget(): void;
  /** Sends GoAway; the stream ends next. */
  goAway(reason: string, reconnectAfterMs: number): void;
  /** Counts a check; ends the stream after too many checks without a message. */
  checkSilence(): void;
  /** Ends the stream in favour of a newer one of the same bot. */
  replace(): void;
}

/** Open heartbeat sessions, one a bot. */
export class Sessions {
  readonly #byBot = new Map<string, SessionHandle>();
  readonly #unwell = new Set<SessionHandle>();
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

  /** Whether a bot other than this one is online, takes work, and fits the need. */
  hasOther(botId: string, need: Need): boolean {
    for (const session of this.#byBot.values()) {
      const isOther = session.botId !== botId && takesWork(session);
      if (isOther && fits(session.offer, need)) return true;
    }
    return false;
  }

  /** Bots online that take work and fit the need, without one of them. */
  takers(need: Need, otherThanBotId: string): SessionHandle[] {
    return [...this.#byBot.values()].filter(
      (session) =>
        session.botId !== otherThanBotId && takesWork(session) && fits(session.offer, need),
    );
  }

  /** Bots online that take no jobs, by their own report. */
  get unwell(): number {
    return this.#unwell.size;
  }

  /** The health of a bot was reported. */
  healthChanged(session: SessionHandle): void {
    if (session.health?.problem) this.#unwell.add(session);
    else this.#unwell.delete(session);
  }

  /** @returns the `arrival` for the session of a new Hello */
  arrive(): number {
    return ++this.#arrivals;
  }

  /** Adds a session, and ends an earlier one of the same bot. */
  enter(session: SessionHandle): void {
    this.#byBot.get(session.botId)?.replace();
    this.#byBot.set(session.botId, session);
  }

  /**
   * Ends the streams of silent bots: a machine that vanishes closes no connection. Called
   * once in a TTL. Counts calls instead of time, so that a master that was stopped ends no
   * stream for it.
   */
  checkSilence(): void {
    for (const session of this.#byBot.values()) session.checkSilence();
  }

  /** Sends GoAway to every bot. */
  goAway(reason: string, reconnectAfterMs: number): void {
    for (const session of this.#byBot.values()) session.goAway(reason, reconnectAfterMs);
  }

  leave(session: SessionHandle): void {
    this.#unwell.delete(session);
    if (this.#byBot.get(session.botId) === session) this.#byBot.delete(session.botId);
  }
}

/** It may be busy now, but takes what comes. */
const takesWork = ({ isDraining, isResting, health }: SessionHandle): boolean =>
  !isDraining && !isResting && !health?.problem;
