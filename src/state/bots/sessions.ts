import { PreconditionError } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import type { BotHealth } from '../../gen/pandafuzz/v1/bot.js';
import type { LogPart, ReadLog } from '../../gen/pandafuzz/v1/heartbeat.js';
import type { LiveLease } from '../leases/leases.js';
import { fits, type Need, type Offer } from '../scheduling/matching.js';
import { BotStates } from './bot-states.js';

/** A bot's heartbeat session, as the rest of the state layer sees it. */
export interface SessionHandle {
  readonly botId: string;
  /** Of the bot's process. */
  readonly instanceId: string;
  /** A message came within two heartbeat intervals: the process at the other end is there. */
  readonly isHeard: boolean;
  /** When another process of the same bot was last refused, ms since 1970. */
  rivalRefusedAt: number | undefined;
  /** It knows other masters, and may be sent to them. */
  readonly mayMove?: boolean | undefined;
  /** It answers questions for its logs. */
  readonly sendsLogs: boolean;
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
  /**
   * Of a bot that sends logs.
   *
   * @throws OverloadError, PreconditionError (BOT_IS_SILENT, BOT_IS_OFFLINE)
   */
  readLog(question: Omit<ReadLog, 'requestId'>): Promise<LogPart>;
  /** Sends GoAway; the stream ends next. */
  goAway(reason: string, reconnectAfterMs: number): void;
  /** Counts a check; ends the stream after too many checks without a message. */
  checkSilence(): void;
  /** Ends the stream in favour of a newer one of the same bot. */
  replace(): void;
  /** Sends GoAway, and ends the stream: this master is not its master any more. */
  sendAway?(reason: string): void;
  /** Beats that came while no beat was answered are answered now. */
  answerAgain?(): void;
}

/** Open heartbeat sessions, one a bot. */
export class Sessions {
  readonly #byBot = new Map<string, SessionHandle>();
  readonly #unwell = new Set<SessionHandle>();
  readonly #states = new BotStates();
  /** Bots that have registered and not said Hello yet: until when, monotonic ms, oldest first. */
  readonly #expected = new Map<string, number>();
  #arrivals = 0;
  #onChange: (botId: string, isHere: boolean) => void = () => {};

  /** Calls back when a bot has a stream that had none, and when it has none any more. */
  onChange(changed: (botId: string, isHere: boolean) => void): void {
    this.#onChange = changed;
  }

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

  /** Bots online by what they do about new jobs. */
  get byState(): BotStates['counts'] {
    return this.#states.counts;
  }

  /** The health of a bot was reported. */
  healthChanged(session: SessionHandle): void {
    if (session.health?.problem) this.#unwell.add(session);
    else this.#unwell.delete(session);
    if (this.of(session.botId) === session) this.#states.changed(session);
  }

  /** A bot is held back, or no longer. */
  holdChanged(botId: string): void {
    const session = this.of(botId);
    session?.holdChanged?.();
    // A change of its credit may have ended the stream.
    if (session && this.of(botId) === session) this.#states.changed(session);
  }

  /** Sends Drain or Resume to a bot that is online. */
  drain(botId: string, isDraining: boolean): void {
    const session = this.of(botId);
    session?.drain(isDraining);
    if (session && this.of(botId) === session) this.#states.changed(session);
  }

  /** @returns the `arrival` for the session of a new Hello */
  arrive(): number {
    return ++this.#arrivals;
  }

  /** A bot has registered: its Hello follows soon. Its name is its own meanwhile. */
  expect(botId: string, { nowMs, untilMs }: { nowMs: number; untilMs: number }): void {
    for (const [id, lateAtMs] of this.#expected) {
      if (lateAtMs > nowMs) break;
      this.#expected.delete(id);
    }
    this.#expected.delete(botId);
    this.#expected.set(botId, untilMs);
  }

  /** Whether a process of the bot is there, or about to come. */
  isLive(botId: string, nowMs: number): boolean {
    const session = this.#byBot.get(botId);
    return session ? session.isHeard : (this.#expected.get(botId) ?? 0) > nowMs;
  }

  /**
   * Refuses a process of a bot while another one is live: two of them would take the stream
   * from each other for ever. A process that has not been heard for two heartbeat intervals
   * gives way.
   *
   * @throws PreconditionError BOT_IS_LIVE
   */
  expectNoRival(
    bot: { id: string; name: string },
    instanceId: string,
    { now, log }: { now: number; log: Logger },
  ): void {
    const session = this.#byBot.get(bot.id);
    if (!session?.isHeard || session.instanceId === instanceId) return;
    session.rivalRefusedAt = now;
    log.warn({ bot: bot.id, botName: bot.name }, 'second bot refused');
    throw new PreconditionError({
      reason: 'BOT_IS_LIVE',
      why: 'another process of this bot is live: it runs twice, or its work folder is a copy of that of another bot',
    });
  }

  /** Adds a session, and ends an earlier one of the same bot. */
  enter(session: SessionHandle): void {
    this.#byBot.get(session.botId)?.replace();
    this.#expected.delete(session.botId);
    this.#byBot.set(session.botId, session);
    this.#states.changed(session);
    this.#onChange(session.botId, true);
  }

  /**
   * Ends the streams of silent bots: a machine that vanishes closes no connection. Called
   * once in a TTL. Counts calls instead of time, so that a master that was stopped ends no
   * stream for it.
   */
  checkSilence(): void {
    for (const session of this.#byBot.values()) session.checkSilence();
  }

  /** Sends all bots away, at once. */
  sendAway(reason: string): void {
    for (const session of [...this.#byBot.values()]) session.sendAway?.(reason);
  }

  answerAgain(): void {
    for (const session of [...this.#byBot.values()]) session.answerAgain?.();
  }

  /** Sends GoAway to every bot. */
  goAway(reason: string, reconnectAfterMs: number): void {
    for (const session of this.#byBot.values()) session.goAway(reason, reconnectAfterMs);
  }

  leave(session: SessionHandle): void {
    this.#unwell.delete(session);
    this.#states.left(session);
    if (this.#byBot.get(session.botId) !== session) return;
    this.#byBot.delete(session.botId);
    this.#onChange(session.botId, false);
  }
}

/** It may be busy now, but takes what comes. */
const takesWork = ({ isDraining, isResting, health }: SessionHandle): boolean =>
  !isDraining && !isResting && !health?.problem;
