import type { BotRow, ClaimedJob } from '../../store/rows.js';
import type { Holds } from '../bots/holds.js';
import type { Leases, LiveLease } from '../leases/leases.js';
import type { Dispatch, Taker } from '../scheduling/dispatch.js';
import { type Offer, offerOf } from '../scheduling/matching.js';

export interface CreditParts {
  readonly bot: BotRow;
  readonly ttlMs: number;
  readonly leases: Leases;
  readonly dispatch: Dispatch;
  readonly holds: Holds;
  readonly receive: (job: ClaimedJob) => void;
}

/**
 * Number of jobs that a bot on a stream can receive: its announced slots less the offers
 * that are open when the announcement arrives. The stream keeps order, so the announcement
 * does not count those yet. Zero while the bot is drained or held back; a bot that tries
 * again after that gets one job at a time (bots/holds.ts).
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
    return this.parts.holds.isHeld(this.botId);
  }

  /** Sets the free slots that the bot reports. */
  announce(freeSlots: number): void {
    this.#announced = freeSlots;
    if (this.gone) return;
    for (const offer of this.#offers) {
      if (this.parts.leases.find(offer) !== offer) this.#offers.delete(offer);
    }
    const isShut = this.isResting || this.#isDraining;
    const credit = isShut ? 0 : this.#within(freeSlots - this.#offers.size) - this.claiming;
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

  /** The bot has taken the offer: one of the slots that it announced is free no more. */
  taken(lease: LiveLease): void {
    if (this.#offers.delete(lease)) this.#announced = Math.max(this.#announced - 1, 0);
  }

  drain(isDraining: boolean): void {
    this.#isDraining = isDraining;
    this.announce(this.#announced);
  }

  /** The bot is held back, or no longer. */
  holdChanged(): void {
    this.announce(this.#announced);
  }

  /** A bot that tries again gets one job more than those that run well. */
  #within(slots: number): number {
    const { holds, leases } = this.parts;
    if (!holds.isTrying(this.botId)) return slots;
    const unproven = leases.ofBot(this.botId).filter((one) => !one.isProven && !one.pulled);
    return Math.min(slots, 1 - unproven.length);
  }

  end(): void {
    this.parts.dispatch.leave(this);
  }
}
