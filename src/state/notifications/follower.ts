import { clipUtf8 } from '../../core/clip.js';
import { type Clock, sleep } from '../../core/clock.js';
import { type InBackground, orAbort } from '../../core/context.js';
import { codeOf, messageOf } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { backoffMs } from '../../core/retry.js';
import type { Signal } from '../../core/signal.js';
import { nextNotice } from '../../store/ops/notifications/next-notice.js';
import type { Store } from '../../store/store.js';
import { type Delivery, deliveryOf } from './delivery.js';
import type { Progress } from './progress.js';
import { type Destination, send } from './send.js';

export interface FollowerParts {
  readonly config: Destination;
  readonly progress: Progress;
  readonly store: Pick<Store, 'run'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  readonly timeoutMs: number;
  readonly giveUpAfterMs: number;
  readonly version: string;
  readonly random: () => number;
  /** Aborts when the master stops. */
  readonly stopped: Signal;
  /** Resolves after the next write to the store. */
  readonly nextWrite: () => Promise<void>;
  readonly onOutcome: (outcome: Outcome) => void;
}

export type Outcome = 'delivered' | 'refused' | 'given_up';

/** Between tries of a delivery. */
const backoff = { firstDelayMs: 1000, maxDelayMs: 600_000, multiplier: 2 };
/** Events that one read looks at. */
const sliceSize = 100;
/** What is written in this time is read together, milliseconds. */
export const gatherMs = 100;
/** While nothing is delivered, the cursor goes to disk this often, milliseconds. */
const keepEveryMs = 60_000;
/** Of an error's text, as much is kept. */
const mostErrorBytes = 200;

/**
 * Delivers the events of one destination in their order, one at a time. A delivery ends when it
 * is acknowledged, refused or given up; until then the next one waits. Its event is behind
 * the cursor only after that, so a master that dies on the way begins with it again.
 */
export class Follower {
  #pending: Delivery | undefined;
  /** Tries in a row that failed. */
  #failures = 0;
  #keptAt: number;

  constructor(private readonly parts: FollowerParts) {
    this.#keptAt = parts.clock.now();
  }

  get name(): string {
    return this.parts.config.name;
  }

  /** `json`, `slack`, `email` …, as it is configured. */
  get kind(): Destination['kind'] {
    return this.parts.config.kind;
  }

  /** For the log. */
  get #about() {
    return { destination: this.name, kind: this.kind };
  }

  /** Since when tries have been failing, ms since 1970, and why the last one did. */
  get failing(): { since: number; why: string } | undefined {
    return this.parts.progress.failing;
  }

  /** When the event of the delivery under way happened, ms since 1970. */
  get pendingSince(): number | undefined {
    return this.#pending?.time;
  }

  /** Until the master stops; never throws. */
  async run(): Promise<void> {
    const { stopped, log, progress } = this.parts;
    while (!stopped.aborted) {
      try {
        await this.#step();
      } catch (error) {
        if (stopped.aborted) break;
        log.warn({ ...this.#about, err: error }, 'notification events not read');
        await this.#pause(0);
      }
    }
    await progress.keep();
  }

  /** Delivers what comes next, or waits until there may be something. */
  async #step(): Promise<void> {
    const { config, progress, store, inBackground, stopped, clock } = this.parts;
    const written = this.parts.nextWrite(); // before reading: no write is slept over
    const from = progress.cursor;
    const found = await inBackground(nextNotice.name, (ctx) =>
      store.run(ctx, nextNotice, {
        cursor: from,
        kinds: config.events,
        projects: config.projects,
        limit: sliceSize,
      }),
    );
    if (found.missedUpTo !== null) this.#missed(found.missedUpTo);
    if (found.notice) {
      const isOver = await this.#deliver(deliveryOf(config.name, found.notice));
      if (!isOver) return;
      progress.passed(found.notice.sequence);
      return this.#keep();
    }
    if (found.cursor > progress.cursor) progress.passed(found.cursor);
    if (!found.isLast) return;
    if (clock.now() - this.#keptAt >= keepEveryMs) await this.#keep();
    await orAbort(stopped, written);
    await sleep(clock, gatherMs, stopped);
  }

  #missed(upTo: number): void {
    const { progress, log } = this.parts;
    const missed = { ...this.#about, after: progress.cursor, upTo };
    log.warn(missed, 'notification events missed');
    progress.passed(upTo);
  }

  /** Tries until there is an outcome; false: the master stopped before that. */
  async #deliver(delivery: Delivery): Promise<boolean> {
    this.#pending = delivery;
    while (!this.parts.stopped.aborted) {
      const outcome = await this.#try(delivery);
      if (outcome === undefined) continue;
      this.#pending = undefined;
      this.parts.onOutcome(outcome);
      return true;
    }
    return false;
  }

  async #try(delivery: Delivery): Promise<Outcome | undefined> {
    const { config, progress, clock, timeoutMs, version, stopped, log } = this.parts;
    try {
      const within = { clock, timeoutMs, signal: stopped, version };
      const verdict = await send(config, delivery, within);
      if (verdict.kind === 'again') {
        return await this.#failed(delivery, verdict.why, verdict.waitMs);
      }
      progress.answered();
      this.#failures = 0;
      const about = { ...this.#about, delivery: delivery.id, event: delivery.event };
      if (verdict.kind === 'delivered') log.info(about, 'notification delivered');
      else log.warn({ ...about, status: verdict.status, why: verdict.why }, 'notification refused');
      return verdict.kind;
    } catch (error) {
      if (stopped.aborted) return undefined;
      return this.#failed(delivery, messageOf(error) || (codeOf(error) ?? 'no answer'), 0);
    }
  }

  async #failed(delivery: Delivery, reason: string, waitMs: number): Promise<Outcome | undefined> {
    const { progress, clock, giveUpAfterMs, log } = this.parts;
    const why = clipUtf8(reason, mostErrorBytes);
    const now = clock.now();
    const since = Math.max(progress.failed(why, now), delivery.time);
    const about = { ...this.#about, delivery: delivery.id, why };
    if (now - since >= giveUpAfterMs) {
      log.error(about, 'notification given up');
      return 'given_up';
    }
    await this.#keep();
    return this.#pause(waitMs, (pauseMs) =>
      log.warn({ ...about, tries: this.#failures, pauseMs }, 'notification failing'),
    );
  }

  /** Waits as long as failures in a row call for, at least `leastMs`. */
  async #pause(leastMs: number, report?: (pauseMs: number) => void): Promise<undefined> {
    const { clock, stopped, random } = this.parts;
    this.#failures++;
    const pauseMs = Math.max(backoffMs(backoff, this.#failures, random), leastMs);
    report?.(Math.round(pauseMs));
    await sleep(clock, pauseMs, stopped).catch(() => {});
  }

  async #keep(): Promise<void> {
    this.#keptAt = this.parts.clock.now();
    await this.parts.progress.keep();
  }
}
