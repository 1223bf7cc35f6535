import type { Clock, Timer } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import { type HeldBot, holdBot, listHeld } from '../../store/ops/bots/hold-bot.js';
import type { Store } from '../../store/store.js';
import type { Hold } from '../messages/records.js';

/** Time without jobs after a start that failed: doubled for each in a row, up to the longest. */
const firstHoldMs = 1000;
const longestHoldMs = 300_000;
const pageSize = 1000;
/** Of the reason of a failed start, characters. */
const longestWhy = 512;

/** A start that failed on a bot. */
export interface FailedStart {
  /** For people. */
  readonly why: string;
  /** The bot has reported what kept the run from starting. */
  readonly isStated: boolean;
}

interface Held {
  failedStarts: number;
  /** ms since 1970; undefined: it may try. */
  untilMs: number | undefined;
  why: string;
  /** On record: told by the bot as a start that failed. */
  isStated: boolean;
  /** Monotonic time of the last failure. */
  failedAt: number;
  timer: Timer | undefined;
}

export interface HoldsParts {
  readonly store: Pick<Store, 'run'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  /** The number of jobs that a bot may get has changed. */
  readonly onChanged: (botId: string) => void;
}

/**
 * Bots on which starts fail, held back so that they do not pass jobs round in circles:
 *
 *   fine ── a start fails ──> held ── its time is over ──> trying, one job at a time
 *     ▲                        ▲                              │
 *     │                        └──── a start fails: longer ───┤
 *     └─────────────────────────────── a start succeeds ──────┘
 *
 * A bot that was restarted, or says that it is well again, tries at once. Only bots with
 * failures are in memory; what bots have stated is on disk, too.
 */
export class Holds {
  readonly #held = new Map<string, Held>();
  readonly #storing = new Set<Promise<void>>();
  #waiting = 0;

  constructor(private readonly parts: HoldsParts) {}

  /** Bots that are given nothing now. */
  get waiting(): number {
    return this.#waiting;
  }

  of(botId: string): Hold | undefined {
    return this.#held.get(botId);
  }

  isHeld(botId: string): boolean {
    return this.#held.get(botId)?.untilMs !== undefined;
  }

  /** It gets one job at a time, until a start succeeds. */
  isTrying(botId: string): boolean {
    const held = this.#held.get(botId);
    return held !== undefined && held.untilMs === undefined;
  }

  /** The rest of the time for which a bot without a stream is given nothing, milliseconds. */
  heldForMs(botId: string): number {
    const held = this.#held.get(botId);
    if (!held?.isStated || held.untilMs === undefined) return 0;
    return Math.max(held.untilMs - this.parts.clock.now(), 0);
  }

  failed(botId: string, { why, isStated }: FailedStart): void {
    const { clock, log } = this.parts;
    const before = this.#held.get(botId);
    const failedStarts = (before?.failedStarts ?? 0) + 1;
    const forMs = Math.min(firstHoldMs * 2 ** (failedStarts - 1), longestHoldMs);
    this.#endWait(before);
    const held: Held = {
      failedStarts,
      untilMs: undefined,
      why: why.slice(0, longestWhy),
      isStated: isStated || before?.isStated === true,
      failedAt: clock.monotonic(),
      timer: undefined,
    };
    this.#held.set(botId, held);
    this.#wait(botId, held, forMs);
    const fields = { bot: botId, failedStarts, forMs, why: held.why };
    if (held.isStated) log.warn(fields, 'bot held back');
    this.#store(botId, held);
    this.parts.onChanged(botId);
  }

  /** A start at `grantedAt` (monotonic) or later has succeeded; one from before proves nothing. */
  worked(botId: string, grantedAt: number): void {
    const held = this.#held.get(botId);
    if (!held || grantedAt < held.failedAt) return;
    this.#remove(botId, held);
    if (held.isStated) this.parts.log.info({ bot: botId }, 'bot released');
    this.#store(botId, { ...held, failedStarts: 0, untilMs: undefined, why: '' });
    this.parts.onChanged(botId);
  }

  /** Lets a bot try at once. */
  lift(botId: string): void {
    const held = this.#held.get(botId);
    if (held?.untilMs === undefined) return;
    this.#endWait(held);
    this.parts.onChanged(botId);
  }

  forget(botId: string): void {
    const held = this.#held.get(botId);
    if (held) this.#remove(botId, held);
  }

  /** Loads what an earlier process of the master has recorded. */
  async restore(): Promise<void> {
    for (let afterId = ''; ; ) {
      const page = { afterId, limit: pageSize };
      const rows = await this.parts.inBackground('list_held', (ctx) =>
        this.parts.store.run(ctx, listHeld, page),
      );
      for (const row of rows) this.#load(row);
      if (rows.length < pageSize) return;
      afterId = rows.at(-1)?.id ?? '';
    }
  }

  /** A bot has come from another master of the cluster: what that has recorded holds. */
  asOnDisk(row: HeldBot): void {
    const held = this.#held.get(row.id);
    if (row.failed_starts > 0 && held?.failedStarts !== row.failed_starts) {
      this.#endWait(held);
      this.#load(row);
    } else if (row.failed_starts === 0 && held?.isStated) this.#remove(row.id, held);
  }

  async stop(): Promise<void> {
    for (const held of this.#held.values()) held.timer?.cancel();
    await Promise.all(this.#storing);
  }

  #load({ id, failed_starts: failedStarts, held_until, held_why: why }: HeldBot): void {
    const failedAt = this.parts.clock.monotonic();
    const state = { untilMs: undefined, isStated: true, timer: undefined };
    const held: Held = { failedStarts, why, failedAt, ...state };
    this.#held.set(id, held);
    // A clock that was set back must hold nobody for longer than any hold lasts.
    const leftMs = Math.min((held_until ?? 0) - this.parts.clock.now(), longestHoldMs);
    if (leftMs > 0) this.#wait(id, held, leftMs);
  }

  #wait(botId: string, held: Held, forMs: number): void {
    held.untilMs = this.parts.clock.now() + forMs;
    this.#waiting++;
    held.timer = this.parts.clock.schedule(forMs, () => {
      this.#endWait(held);
      this.parts.onChanged(botId);
    });
  }

  #endWait(held: Held | undefined): void {
    if (held?.untilMs === undefined) return;
    held.untilMs = undefined;
    held.timer?.cancel();
    held.timer = undefined;
    this.#waiting--;
  }

  #remove(botId: string, held: Held): void {
    this.#endWait(held);
    this.#held.delete(botId);
  }

  #store(botId: string, { failedStarts, untilMs, why, isStated }: Held): void {
    if (!isStated) return;
    const { store, inBackground, clock, log } = this.parts;
    const input = { botId, failedStarts, heldUntil: untilMs ?? null, why, now: clock.now() };
    const storing = inBackground('hold_bot', (ctx) => store.run(ctx, holdBot, input))
      .catch((error) => log.warn({ err: error, bot: botId }, 'hold of a bot not stored'))
      .finally(() => this.#storing.delete(storing));
    this.#storing.add(storing);
  }
}
