import type { Clock, Timer } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import type { Logger } from '../../core/log.js';
import { TurnBatch } from '../../core/turn-batch.js';
import { claimJob } from '../../store/ops/scheduling/claim-job.js';
import type { ClaimedJob, QueueRow } from '../../store/rows.js';
import type { Settled, Store } from '../../store/store.js';
import { runEach } from '../messages/run-each.js';
import type { FairShare } from './fair-share.js';
import { fits, type Need, needOf, type Offer } from './matching.js';

/**
 * Brings pending jobs and free slots together the moment both exist.
 *
 *   queue     jobs of one campaign with the same requirements; few, whatever the number
 *             of jobs
 *   kind      queues with the same requirements, whatever their campaigns and whichever
 *             bot they exclude
 *   profile   takers that fit the same kinds; few, whatever the number of bots
 *   taker     free slots announced on a stream, or a waiting AssignJob
 *
 * The taker that has waited longest gets the campaign whose turn it is (fair-share.ts),
 * among the queues of its profile. One statement of the store picks the job: the highest
 * priority, then the oldest. The cost of an assignment depends on neither the number of
 * waiting jobs nor of bots.
 *
 * A queue whose claim found no job is marked empty and skipped until a job arrives. Each
 * queue counts its arrivals, so that a job that arrives during a claim is not missed. A bot
 * that some jobs avoid (bots/avoids.ts) skips the queue alone: others may find a job there.
 *
 * Races: two claims of one job: the statement of the store decides. A taker that leaves
 * during its claim: its `receive` gives the job back. A stop requested between claim and
 * taker: the taker receives the newer row. A claim whose answer is lost: the lease is on
 * disk, where the reaper finds it. A limit of a campaign: claims under way count as running.
 */
export interface Taker {
  readonly botId: string;
  readonly offer: Offer;
  /** TTL of its leases, milliseconds. */
  readonly ttlMs: number;
  /** Its claims are acknowledgements. */
  readonly acknowledged: boolean;
  /** Jobs it can still receive, without claims under way. */
  credit: number;
  /** Claims under way. Set by Dispatch. */
  claiming: number;
  /** It has left. */
  gone: boolean;
  /** Called with a claimed job, which is on disk; `credit` is already lowered. */
  receive(job: ClaimedJob): void;
  /** Called when a claim found no job; `credit` is as before. */
  missed?(): void;
}

interface Kind {
  readonly need: Need;
  readonly queues: Queue[];
  /** Profiles whose takers fit it. */
  readonly profiles: Profile[];
}

interface Queue {
  readonly id: number;
  readonly campaign: string;
  readonly kind: Kind;
  /** The bot that its jobs exclude; empty: none. */
  readonly otherThanBotId: string;
  /** No pending job is known. */
  isDrained: boolean;
  /** Bots for which none is known: those waiting avoid them. */
  readonly emptyFor: Set<string>;
  arrivals: number;
}

interface Profile {
  /** Queues with possible work, of kinds that its takers fit. */
  readonly ready: Set<Queue>;
  /** Takers with credit, in the order in which they became free. */
  readonly takers: Set<Taker>;
}

interface Match {
  readonly profile: Profile;
  readonly taker: Taker;
  readonly campaign: string;
  readonly queues: readonly Queue[];
}

interface Claim extends Match {
  /** Arrivals of its queues at the time of the claim. */
  readonly arrivals: readonly number[];
}

/** Claims under way at once; more would only queue in the store. */
const claimsAtOnce = 256;
/** Pause after a failed claim (a locked database, overload). */
const retryClaimsAfterMs = 500;

export interface DispatchParts {
  readonly store: Pick<Store, 'runEach'>;
  readonly fairShare: FairShare;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  /** Whether some jobs avoid this bot. */
  readonly isAvoided?: (botId: string) => boolean;
}

export class Dispatch {
  readonly #queues = new Map<number, Queue>();
  readonly #kinds = new Map<string, Kind>();
  readonly #profiles = new Map<string, Profile>();
  #profileOf = new WeakMap<Taker, Profile>();
  readonly #claimingOf = new Map<string, number>();
  /** Newer rows of jobs that changed during claims. */
  readonly #changed = new Map<string, ClaimedJob>();
  readonly #claims = new TurnBatch<Claim>((claims) => void this.#claimEach(claims));
  #claiming = 0;
  #pause: Timer | undefined;
  #stopped = false;

  constructor(private readonly parts: DispatchParts) {}

  stop(): void {
    this.#stopped = true;
    this.#pause?.cancel();
  }

  /** Claims under way of a campaign. */
  claimingOf(campaign: string): number {
    return this.#claimingOf.get(campaign) ?? 0;
  }

  /** Adds a queue. Idempotent. */
  addQueue(row: QueueRow): void {
    if (this.#queues.has(row.id)) return;
    const { id, campaign, other_than_bot_id: otherThanBotId } = row;
    const kind = this.#kindOf(needOf(row));
    const state = { isDrained: false, emptyFor: new Set<string>(), arrivals: 0 };
    const queue: Queue = { id, campaign, kind, otherThanBotId, ...state };
    this.#queues.set(id, queue);
    kind.queues.push(queue);
    for (const { ready } of kind.profiles) ready.add(queue);
    this.#pump();
  }

  /** Finds or adds a kind. Sorts all takers into profiles anew for a new one, as kinds are few. */
  #kindOf(need: Need): Kind {
    const key = JSON.stringify(need);
    const known = this.#kinds.get(key);
    if (known) return known;
    const kind: Kind = { need, queues: [], profiles: [] };
    this.#kinds.set(key, kind);
    const takers = [...this.#profiles.values()].flatMap((profile) => [...profile.takers]);
    for (const { profiles } of this.#kinds.values()) profiles.length = 0;
    this.#profiles.clear();
    this.#profileOf = new WeakMap();
    for (const taker of takers) this.#seat(taker);
    return kind;
  }

  /** What the jobs of a queue ask of a bot; undefined for an unknown queue. */
  requirementsOf(queueId: number): { need: Need; otherThanBotId: string } | undefined {
    const queue = this.#queues.get(queueId);
    return queue && { need: queue.kind.need, otherThanBotId: queue.otherThanBotId };
  }

  /** A job has become pending: a new one, or one that was given back. */
  jobPending(queueId: number): void {
    const queue = this.#queues.get(queueId);
    if (!queue) return;
    queue.arrivals++;
    queue.emptyFor.clear();
    setDrained(queue, false);
    this.#pump();
  }

  /**
   * An assigned job has changed before its taker has it: the taker will receive this row.
   */
  jobChanged(job: ClaimedJob): void {
    if (this.#claiming > 0) this.#changed.set(job.id, job);
  }

  /** The credit of a taker has changed, or the taker is new. */
  creditChanged(taker: Taker): void {
    this.#seat(taker);
    this.#pump();
  }

  /** Removes a taker. A claim under way still reaches its `receive`. */
  leave(taker: Taker): void {
    taker.credit = 0;
    taker.gone = true;
    this.#profileOf.get(taker)?.takers.delete(taker);
  }

  /** A job of a campaign with a limit may have ended. */
  roomChanged(): void {
    this.#pump();
  }

  #seat(taker: Taker): void {
    const { takers } = this.#find(taker);
    if (taker.credit <= 0) takers.delete(taker);
    else takers.add(taker);
  }

  #find(taker: Taker): Profile {
    const known = this.#profileOf.get(taker);
    if (known) return known;
    const kinds: Kind[] = [];
    let key = '';
    for (const [name, kind] of this.#kinds) {
      if (!fits(taker.offer, kind.need)) continue;
      kinds.push(kind);
      key += `${name}\n`;
    }
    const profile = this.#profiles.get(key) ?? this.#add(key, kinds);
    this.#profileOf.set(taker, profile);
    return profile;
  }

  #add(key: string, kinds: readonly Kind[]): Profile {
    const queues = kinds.flatMap((kind) => kind.queues);
    const ready = new Set(queues.filter(({ isDrained }) => !isDrained));
    const profile: Profile = { ready, takers: new Set() };
    this.#profiles.set(key, profile);
    for (const { profiles } of kinds) profiles.push(profile);
    return profile;
  }

  #pump(): void {
    if (this.#stopped || this.#pause) return;
    while (this.#claiming < claimsAtOnce) {
      const match = this.#next();
      if (!match) return;
      this.#claim(match);
    }
  }

  #next(): Match | undefined {
    for (const [key, profile] of this.#profiles) {
      const match = this.#nextOf(profile);
      if (!match) continue;
      // To the end of the map: the other profiles have their turn first.
      this.#profiles.delete(key);
      this.#profiles.set(key, profile);
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
      const ready = [...profile.ready].filter((queue) => isFor(queue, taker.botId));
      const match = this.#choose(profile, taker, ready);
      if (match || ready.length === profile.ready.size) return match;
    }
    return undefined;
  }

  #choose(profile: Profile, taker: Taker, ready: readonly Queue[]): Match | undefined {
    const campaign = this.parts.fairShare.next(ready.map((queue) => queue.campaign));
    if (campaign === undefined) return undefined;
    const queues = ready.filter((queue) => queue.campaign === campaign);
    return { profile, taker, campaign, queues };
  }

  #claim(match: Match): void {
    const { profile, taker, campaign, queues } = match;
    taker.credit--;
    taker.claiming++;
    profile.takers.delete(taker); // to the end of the line
    this.#seat(taker);
    this.#count(campaign, 1);
    this.parts.fairShare.took(campaign);
    this.#claims.add({ ...match, arrivals: queues.map((queue) => queue.arrivals) });
  }

  async #claimEach(claims: readonly Claim[]): Promise<void> {
    const now = this.parts.clock.now();
    const inputs = claims.map(({ taker: { botId, ttlMs, acknowledged }, queues }) => ({
      botId,
      queues: queues.map(({ id }) => id),
      ttlMs,
      acknowledged,
      now,
    }));
    const outcomes = await runEach(this.parts.store, this.parts.inBackground, claimJob, inputs);
    for (const [index, claim] of claims.entries()) {
      const outcome = outcomes[index] as Settled<ClaimedJob | undefined>;
      if (!outcome.ok) this.#failed(outcome.error);
      this.#claimed(claim, outcome);
    }
    this.#pump();
  }

  #claimed({ taker, campaign, queues, arrivals }: Claim, outcome: Settled<ClaimedJob | undefined>) {
    const job = outcome.ok ? outcome.value : undefined;
    if (outcome.ok && !job) this.#markEmpty(taker.botId, queues, arrivals);
    taker.claiming--;
    if (job) taker.receive(this.#newest(job));
    else this.#giveBack(taker, campaign);
    this.#count(campaign, -1);
  }

  /** Pauses all claims after a failed one. */
  #failed(error: unknown): void {
    if (!this.#pause) this.parts.log.warn({ err: error }, 'claim failed');
    this.#rest();
  }

  /** The claim's row, with requests that came since. */
  #newest(job: ClaimedJob): ClaimedJob {
    const changed = this.#changed.get(job.id);
    if (changed?.fence !== job.fence) return job;
    const { cancel_requested_at, pause_requested_at, timed_out_at } = changed;
    return { ...job, cancel_requested_at, pause_requested_at, timed_out_at };
  }

  #markEmpty(botId: string, queues: readonly Queue[], arrivals: readonly number[]): void {
    const isAvoided = this.parts.isAvoided?.(botId) ?? false;
    for (const [index, queue] of queues.entries()) {
      if (queue.arrivals !== arrivals[index]) continue;
      if (isAvoided) queue.emptyFor.add(botId);
      else setDrained(queue, true);
    }
  }

  #count(campaign: string, change: 1 | -1): void {
    this.#claiming += change;
    if (this.#claiming === 0) this.#changed.clear();
    const count = this.claimingOf(campaign) + change;
    if (count === 0) this.#claimingOf.delete(campaign);
    else this.#claimingOf.set(campaign, count);
  }

  #giveBack(taker: Taker, campaign: string): void {
    this.parts.fairShare.gaveBack(campaign);
    if (taker.gone) return;
    taker.credit++;
    this.#seat(taker);
    taker.missed?.();
  }

  #rest(): void {
    this.#pause ??= this.parts.clock.schedule(retryClaimsAfterMs, () => {
      this.#pause = undefined;
      this.#pump();
    });
  }
}

const isFor = ({ otherThanBotId, emptyFor }: Queue, botId: string): boolean =>
  otherThanBotId !== botId && !emptyFor.has(botId);

function setDrained(queue: Queue, isDrained: boolean): void {
  queue.isDrained = isDrained;
  for (const { ready } of queue.kind.profiles) {
    if (isDrained) ready.delete(queue);
    else ready.add(queue);
  }
}
