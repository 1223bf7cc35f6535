import type { QueueRow } from '../../store/rows.js';
import type { FairShare } from './fair-share.js';
import { Fitting } from './fitting.js';
import { needOf } from './matching.js';
import type { Taker } from './taker.js';
import { type Campaign, isFor, isReady, newCampaign, type Profile, type Queue } from './waiting.js';

export interface Match {
  readonly taker: Taker;
  readonly campaign: string;
  readonly queues: readonly Queue[];
}

/** Queues that one claim looks into; with more, they take turns. */
const queuesAtOnce = 64;
/** Queues without work that are kept for the next job. */
const keptQueues = 1000;

/**
 * Work that waits and bots that are free, so that the next match is found without a look
 * at the others. A profile is open while it has a free taker and a campaign with work that
 * it fits may have its turn; only open profiles are looked at. Each look that finds nothing
 * closes the profile or drops the campaign from its turns, until something changes: a queue
 * gets work, a taker becomes free, a campaign below its limit again. So looks are paid for
 * by changes.
 */
export class Openings {
  readonly #queues = new Map<number, Queue>();
  readonly #campaigns = new Map<string, Campaign>();
  readonly #fitting = new Fitting();
  readonly #open = new Set<Profile>();
  /** Queues without work, the oldest first. */
  readonly #idle = new Set<Queue>();
  readonly #profileOf = new WeakMap<Taker, Profile>();
  #ready = 0;
  #looked = 0;

  constructor(private readonly fairShare: FairShare) {}

  get sizes(): { queues: number; campaigns: number; looked: number } {
    const [queues, campaigns] = [this.#queues.size, this.#campaigns.size];
    return { queues, campaigns, looked: this.#looked + this.#fitting.compared };
  }

  queue(id: number): Queue | undefined {
    return this.#queues.get(id);
  }

  addQueue(row: QueueRow): void {
    if (this.#queues.has(row.id)) return;
    const { id, other_than_bot_id: otherThanBotId, pending: waiting } = row;
    const kind = this.#fitting.kindOf(needOf(row));
    const campaign = this.#campaigns.get(row.campaign) ?? newCampaign(row.campaign);
    this.#campaigns.set(campaign.key, campaign);
    kind.queues++;
    campaign.queues++;
    const counts = { waiting, claiming: 0, arrivals: 0, isSupplied: false };
    const queue: Queue = { id, campaign, kind, otherThanBotId, ...counts, emptyFor: new Set() };
    this.#queues.set(id, queue);
    this.#update(queue);
  }

  /** One more job waits in the queue. */
  arrived(queue: Queue): void {
    queue.arrivals++;
    queue.waiting++;
    const isNews = queue.emptyFor.size > 0;
    queue.emptyFor.clear();
    this.#update(queue);
    if (isNews && queue.kind.ready.has(queue)) this.#offer(queue);
  }

  /** A campaign begins or ends to make jobs for the queue. */
  supply(queue: Queue, isSupplied: boolean): void {
    queue.isSupplied = isSupplied;
    queue.emptyFor.clear();
    this.#update(queue);
    if (isSupplied) this.#offer(queue);
  }

  claimBegins(queues: readonly Queue[]): void {
    for (const queue of queues) {
      queue.claiming++;
      this.#update(queue);
    }
  }

  claimEnds(queues: readonly Queue[]): void {
    for (const queue of queues) {
      queue.claiming--;
      this.#update(queue);
    }
  }

  seat(taker: Taker): void {
    if (taker.gone) return;
    const profile = this.#profileOf.get(taker) ?? this.#enter(taker);
    if (taker.credit <= 0) profile.takers.delete(taker);
    else profile.takers.add(taker);
    this.#openIfAny(profile);
  }

  /** A taker takes its next job after the others of its profile. */
  toTheEnd(taker: Taker): void {
    this.#profileOf.get(taker)?.takers.delete(taker);
    this.seat(taker);
  }

  leave(taker: Taker): void {
    const profile = this.#profileOf.get(taker);
    if (!profile) return;
    this.#profileOf.delete(taker);
    profile.takers.delete(taker);
    this.#fitting.leave(profile);
  }

  roomChanged(key: string): void {
    const campaign = this.#campaigns.get(key);
    if (!campaign || campaign.full.size === 0 || !this.fairShare.hasRoom(key)) return;
    for (const profile of campaign.full) this.#addTurn(profile, campaign);
    campaign.full.clear();
  }

  /** The next taker and what it may claim; profiles take turns. */
  next(): Match | undefined {
    if (this.#ready === 0) return undefined;
    for (const profile of this.#open) {
      this.#open.delete(profile);
      const match = this.#nextOf(profile);
      if (!match) continue;
      this.#open.add(profile);
      return match;
    }
    return undefined;
  }

  /**
   * The taker that has waited longest goes first, unless all that may have work leaves its
   * bot out. Few bots are left out: one a queue, and those on which starts failed.
   */
  #nextOf(profile: Profile): Match | undefined {
    for (const taker of profile.takers) {
      const passedOver: Campaign[] = [];
      const match = this.#choose(profile, taker, passedOver);
      for (const campaign of passedOver) this.#turn(profile, campaign);
      if (match || passedOver.length === 0) return match;
    }
    return undefined;
  }

  #choose(profile: Profile, taker: Taker, passedOver: Campaign[]): Match | undefined {
    const { turns } = profile;
    for (let first = turns.first; first; first = turns.first) {
      this.#looked++;
      const { key: campaign, clock } = first;
      const isStale = this.fairShare.ownClockOf(campaign.key) > clock;
      const found = isStale ? undefined : this.#queuesFor(campaign, profile, taker.botId);
      if (found && found.queues.length > 0) {
        if (this.fairShare.hasRoom(campaign.key))
          return { taker, campaign: campaign.key, queues: found.queues };
        campaign.full.add(profile);
      }
      turns.drop();
      if (isStale) this.#turn(profile, campaign);
      else if (found?.leavesOut) passedOver.push(campaign);
    }
    return undefined;
  }

  /** The campaign's queues with work for this bot; goes through its kinds or the profile's. */
  #queuesFor(campaign: Campaign, profile: Profile, botId: string) {
    const queues: Queue[] = [];
    let leavesOut = false;
    const isShorter = campaign.ready.size <= profile.kinds.size;
    for (const kind of isShorter ? campaign.ready.keys() : profile.kinds) {
      if (isShorter && !profile.kinds.has(kind)) continue;
      for (const queue of campaign.ready.get(kind) ?? []) {
        this.#looked++;
        if (isFor(queue, botId)) queues.push(queue);
        else leavesOut = true;
        if (queues.length === queuesAtOnce) return { queues, leavesOut };
      }
    }
    return { queues, leavesOut };
  }

  #enter(taker: Taker): Profile {
    const profile = this.#fitting.enter(taker.offer);
    this.#profileOf.set(taker, profile);
    if (!profile.isCurrent) {
      profile.isCurrent = true;
      for (const { ready } of profile.kinds)
        for (const { campaign } of ready) this.#turn(profile, campaign);
    }
    return profile;
  }

  /** Puts a queue where its counts say that it belongs. */
  #update(queue: Queue): void {
    const wasReady = queue.kind.ready.has(queue);
    if (isReady(queue) !== wasReady) {
      if (wasReady) this.#removeReady(queue);
      else this.#addReady(queue);
    }
    const isIdle = queue.waiting === 0 && queue.claiming === 0 && !queue.isSupplied;
    if (!isIdle) this.#idle.delete(queue);
    else if (!this.#idle.has(queue)) this.#keep(queue);
  }

  #addReady(queue: Queue): void {
    const { kind, campaign } = queue;
    this.#ready++;
    kind.ready.add(queue);
    const there = campaign.ready.get(kind);
    if (there) there.add(queue);
    else campaign.ready.set(kind, new Set([queue]));
    this.#offer(queue);
  }

  #removeReady(queue: Queue): void {
    const { kind, campaign } = queue;
    this.#ready--;
    kind.ready.delete(queue);
    const there = campaign.ready.get(kind);
    there?.delete(queue);
    if (there?.size === 0) campaign.ready.delete(kind);
  }

  #offer({ kind, campaign }: Queue): void {
    for (const profile of kind.profiles) {
      this.#looked++;
      this.#addTurn(profile, campaign);
    }
  }

  #addTurn(profile: Profile, campaign: Campaign): void {
    this.#turn(profile, campaign);
    this.#openIfAny(profile);
  }

  #turn(profile: Profile, campaign: Campaign): void {
    profile.turns.add(campaign, this.fairShare.clockOf(campaign.key));
  }

  #openIfAny(profile: Profile): void {
    if (profile.takers.size > 0 && profile.turns.size > 0) this.#open.add(profile);
    else this.#open.delete(profile);
  }

  #keep(queue: Queue): void {
    this.#idle.add(queue);
    const [oldest] = this.#idle;
    if (oldest && this.#idle.size > keptQueues) this.#forget(oldest);
  }

  #forget(queue: Queue): void {
    const { id, kind, campaign } = queue;
    this.#idle.delete(queue);
    this.#queues.delete(id);
    if (--kind.queues === 0) this.#fitting.removeKind(kind);
    if (--campaign.queues === 0) this.#campaigns.delete(campaign.key);
  }
}
