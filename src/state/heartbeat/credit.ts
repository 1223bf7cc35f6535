import type { Clock, Timer } from '../../core/clock.js';
import { JobOutcome } from '../../gen/pandafuzz/v1/job.js';
import type { BotRow, ClaimedJob } from '../../store/rows.js';
import type { Leases, LiveLease } from '../leases/leases.js';
import type { Dispatch, Taker } from '../scheduling/dispatch.js';
import { type Offer, offerOf } from '../scheduling/matching.js';

/** First rest of a bot after INFRASTRUCTURE; doubled for each in a row, up to the longest. */
const firstRestMs = 1000;
const longestRestMs = 60_000;

export interface CreditParts {
  readonly bot: BotRow;
  readonly ttlMs: number;
  readonly leases: Leases;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly receive: (job: ClaimedJob) => void;
}

/**
 * Number of jobs that a bot on a stream can receive: its announced slots less the offers
 * that are open when the announcement arrives. The stream keeps order, so the announcement
 * does not count those yet. Zero while the bot is drained, and while it rests after
 * INFRASTRUCTURE, so that a broken bot does not pass jobs round in circles.
 */
export class Credit implements Taker {
  readonly botId: string;
  readonly offer: Offer;
  readonly acknowledged = false;
  credit = 0;
  claiming = 0;
  gone = false;
  #announced = 0;
  #isDraining: boolean;
  readonly #offers = new Set<LiveLease>();
  #troubles = 0;
  #rest: Timer | undefined;

  readonly ttlMs: number;
  readonly receive: (job: ClaimedJob) => void;

  constructor(private readonly parts: CreditParts) {
    this.ttlMs = parts.ttlMs;
    this.receive = parts.receive;
    this.botId = parts.bot.id;
    this.offer = offerOf(parts.bot);
    this.#isDraining = parts.bot.drain_requested_at !== null;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  get isResting(): boolean {
    return this.#rest !== undefined;
  }

  /** Sets the free slots that the bot reports. */
  announce(freeSlots: number): void {
    this.#announced = freeSlots;
    if (this.gone) return;
    for (const offer of this.#offers) {
      if (this.parts.leases.find(offer) !== offer) this.#offers.delete(offer);
    }
    const isShut = this.#rest !== undefined || this.#isDraining;
    const credit = isShut ? 0 : freeSlots - this.#offers.size - this.claiming;
    if (credit === this.credit) return;
    this.credit = credit;
    this.parts.dispatch.creditChanged(this);
  }

  offered(lease: LiveLease): void {
    this.#offers.add(lease);
  }

  answered(lease: LiveLease): void {
    this.#offers.delete(lease);
  }

  drain(isDraining: boolean): void {
    this.#isDraining = isDraining;
    this.announce(this.#announced);
  }

  /** Takes the outcome of a run: each INFRASTRUCTURE in a row makes the bot's rest longer. */
  learn(outcome: JobOutcome | undefined): void {
    if (outcome !== JobOutcome.INFRASTRUCTURE) {
      this.#troubles = 0;
      return;
    }
    const restMs = Math.min(firstRestMs * 2 ** this.#troubles++, longestRestMs);
    this.#rest?.cancel();
    this.#rest = this.parts.clock.schedule(restMs, () => {
      this.#rest = undefined;
      this.announce(this.#announced);
    });
    this.announce(this.#announced);
  }

  end(): void {
    this.#rest?.cancel();
    this.parts.dispatch.leave(this);
  }
}
