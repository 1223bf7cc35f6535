import type { Clock, Timer } from '../../core/clock.js';
import type { InBackground } from '../../core/context.js';
import { NotFoundError } from '../../core/errors.js';
import type { Logger } from '../../core/log.js';
import { TurnBatch } from '../../core/turn-batch.js';
import type { NewRun } from '../../store/ops/campaigns/make-run.js';
import { type ClaimJob, claimJob } from '../../store/ops/scheduling/claim-job.js';
import { findQueues } from '../../store/ops/scheduling/find-queues.js';
import type { ClaimedJob, QueueRow } from '../../store/rows.js';
import type { Settled, Store } from '../../store/store.js';
import { runEach } from '../messages/run-each.js';
import { type FairShare, jobSeconds } from './fair-share.js';
import type { Need } from './matching.js';
import { Openings } from './openings.js';
import type { Taker } from './taker.js';
import { hasWaiting, type Queue } from './waiting.js';

export type { Taker } from './taker.js';

/**
 * Brings pending jobs and free slots together the moment both exist.
 *
 *   queue     jobs of one campaign with the same requirements
 *   kind      queues with the same requirements, whatever their campaigns and whichever
 *             bot they exclude
 *   profile   takers with the same offer
 *   taker     free slots announced on a stream, or a waiting AssignJob
 *
 * Of the takers of a profile, the one that has waited longest gets the campaign whose turn
 * it is (fair-share.ts), among those with work that the profile fits. One statement of the
 * store picks the job: the highest priority, then the oldest. The cost of an assignment
 * depends on neither the number of waiting jobs, queues and campaigns nor of bots
 * (openings.ts; docs/decisions/0405-waiting-work.md).
 *
 * A queue counts the jobs that wait in it: arrivals are added, and each claim reads the
 * number anew. So no more claims are under way than there are jobs, and only bots that get
 * one are woken. The number may be too high (a job was cancelled): then a claim finds
 * nothing, which sets it to zero. It is never too low, as a job that arrives during a claim
 * is counted on its own. A bot that some jobs avoid (bots/avoids.ts) skips a queue in which
 * its claim found nothing alone: others may find a job there. Queues without work are
 * forgotten, and read from the store when one is named again.
 *
 * A queue of a campaign that makes its runs by itself is supplied: it always has work. The
 * run is planned when a match is found (Supply), and made by the claim's own statement of the
 * store, unless a job waits in the queue. So such campaigns have no waiting jobs to keep, and
 * no bot waits for one to be made.
 *
 * Races: two claims of one job: the statement of the store decides. A taker that leaves
 * during its claim: its `receive` gives the job back. A stop requested between claim and
 * taker: the taker receives the newer row. A claim whose answer is lost: the lease is on
 * disk, where the reaper finds it. A job whose announcement is lost: overlooked.ts. A limit of a campaign: claims under way count as running.
 */
interface Claim {
  readonly taker: Taker;
  readonly campaign: string;
  readonly queues: readonly Queue[];
  /** To be made if no job waits. */
  readonly run: NewRun | undefined;
  /** What its campaign was charged for it (fair-share.ts). */
  readonly charged: number;
  /** Arrivals of its queues at the time of the claim. */
  readonly arrivals: readonly number[];
}

/** Claims under way at once; more would only queue in the store. */
const claimsAtOnce = 256;
/** Pause after a failed claim (a locked database, overload). */
const retryClaimsAfterMs = 500;
/** Queues that are read from the store at once. */
const queuesAtOnce = 1000;

/**
 * What became of a planned run: it is made; a waiting job went first; the campaign is
 * another by now; an artifact of it is gone.
 */
export type PlannedRunEnd = 'made' | 'unneeded' | 'outdated' | 'missing';

/** Plans runs of campaigns. */
export interface Supply {
  /** A run for one of these queues of a campaign; undefined: none is to be made now. */
  plan(campaign: string, queueIds: readonly number[]): NewRun | undefined;
  settle(run: NewRun, outcome: PlannedRunEnd): void;
}

export interface DispatchParts {
  readonly store: Pick<Store, 'run' | 'runEach' | 'cluster'>;
  readonly fairShare: FairShare;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inBackground: InBackground;
  /** Whether some jobs avoid this bot. */
  readonly isAvoided?: (botId: string) => boolean;
  readonly supply?: Supply;
}

export class Dispatch {
  readonly #openings: Openings;
  readonly #claimingOf = new Map<string, number>();
  /** Newer rows of jobs that changed during claims. */
  readonly #changed = new Map<string, ClaimedJob>();
  readonly #claims = new TurnBatch<Claim>((claims) => void this.#claimEach(claims));
  /** Queues with a new job that are not in memory. */
  readonly #named = new Set<number>();
  #reading = false;
  #claiming = 0;
  #pause: Timer | undefined;
  #stopped = false;

  constructor(private readonly parts: DispatchParts) {
    this.#openings = new Openings(parts.fairShare);
  }

  stop(): void {
    this.#stopped = true;
    this.#pause?.cancel();
  }

  /** Claims under way of a campaign. */
  claimingOf(campaign: string): number {
    return this.#claimingOf.get(campaign) ?? 0;
  }

  /** What is in memory, and how many pairs were looked at so far; for tests. */
  get sizes(): { queues: number; campaigns: number; looked: number } {
    return this.#openings.sizes;
  }

  /** Adds a queue with the jobs that wait in it. Idempotent. */
  addQueue(row: QueueRow): void {
    this.#openings.addQueue(row);
    this.#pump();
  }

  /** A campaign makes jobs for this queue from now on. Idempotent. */
  supply(row: QueueRow): void {
    this.#openings.addQueue(row);
    const queue = this.#openings.queue(row.id);
    if (queue && !queue.isSupplied) this.#openings.supply(queue, true);
    this.#pump();
  }

  /** It makes none any more. Idempotent. */
  endSupply(queueId: number): void {
    const queue = this.#openings.queue(queueId);
    if (queue?.isSupplied) this.#openings.supply(queue, false);
  }

  /** Reads those of the queues that are not in memory. */
  async know(queueIds: readonly number[]): Promise<void> {
    const ids = [...new Set(queueIds)].filter((id) => !this.#openings.queue(id));
    if (ids.length > 0) await this.#read(ids);
  }

  /** What the jobs of a queue ask of a bot; undefined for a queue that is not in memory. */
  requirementsOf(queueId: number): { need: Need; otherThanBotId: string } | undefined {
    const queue = this.#openings.queue(queueId);
    return queue && { need: queue.kind.need, otherThanBotId: queue.otherThanBotId };
  }

  /** A job has become pending: a new one, or one that was given back. */
  jobPending(queueId: number): void {
    const queue = this.#openings.queue(queueId);
    if (queue) this.#openings.arrived(queue);
    else this.#name(queueId);
    this.#pump();
  }

  /** Jobs wait in this queue; they are announced where memory knows of none. */
  recount(row: QueueRow): void {
    const queue = this.#openings.queue(row.id);
    if (!queue) this.addQueue(row);
    else if (queue.waiting === 0 && queue.claiming === 0) this.jobPending(row.id);
  }

  /**
   * An assigned job has changed before its taker has it: the taker will receive this row.
   */
  jobChanged(job: ClaimedJob): void {
    if (this.#claiming > 0) this.#changed.set(job.id, job);
  }

  /** The credit of a taker has changed, or the taker is new. */
  creditChanged(taker: Taker): void {
    this.#openings.seat(taker);
    this.#pump();
  }

  /** Removes a taker. A claim under way still reaches its `receive`. */
  leave(taker: Taker): void {
    taker.credit = 0;
    taker.gone = true;
    this.#openings.leave(taker);
  }

  /** A job of a campaign may have ended, or its limit has changed. */
  roomChanged(campaign: string): void {
    this.#openings.roomChanged(campaign);
    this.#pump();
  }

  #pump(): void {
    if (this.#stopped || this.#pause) return;
    while (this.#claiming < claimsAtOnce) {
      const match = this.#openings.next();
      if (!match) return;
      const { taker, campaign, queues } = match;
      const run = this.#plan(campaign, queues);
      if (!run && !queues.some(hasWaiting)) continue;
      taker.credit--;
      taker.claiming++;
      this.#openings.toTheEnd(taker);
      this.#count(campaign, 1);
      const charged = this.parts.fairShare.took(campaign, secondsOf(run));
      const arrivals = queues.map((queue) => queue.arrivals);
      this.#openings.claimBegins(queues);
      this.#claims.add({ ...match, run, arrivals, charged });
    }
  }

  /** A queue for which nothing is planned is supplied no more, until it is told anew. */
  #plan(campaign: string, queues: readonly Queue[]): NewRun | undefined {
    const supplied = queues.filter(({ isSupplied }) => isSupplied);
    if (supplied.length === 0) return undefined;
    const ids = supplied.map(({ id }) => id);
    const run = this.parts.supply?.plan(campaign, ids);
    if (!run) for (const queue of supplied) this.#openings.supply(queue, false);
    return run;
  }

  async #claimEach(claims: readonly Claim[]): Promise<void> {
    const now = this.parts.clock.now();
    const inputs = claims.map(
      ({ taker: { botId, ttlMs, acknowledged }, campaign, queues, run }) => ({
        ...this.#limitOf(campaign),
        botId,
        queues: queues.map(({ id }) => id),
        ttlMs,
        acknowledged,
        ...(run && { run }),
        now,
      }),
    );
    const outcomes = await runEach(this.parts.store, this.parts.inBackground, claimJob, inputs);
    for (const [index, claim] of claims.entries()) {
      const outcome = outcomes[index] as Settled<ClaimedJob | undefined>;
      if (!outcome.ok && !isMissing(claim, outcome)) this.#failed(outcome.error);
      this.#claimed(claim, outcome);
    }
    this.#pump();
  }

  /** Of a cluster's masters each counts what itself has given out: the store counts all. */
  #limitOf(campaign: string): Pick<ClaimJob, 'limit'> {
    const { store, fairShare } = this.parts;
    const { maxParallel: most } = fairShare.termsOf(campaign);
    return store.cluster && most > 0 ? { limit: { campaign, most } } : {};
  }

  #claimed(claim: Claim, outcome: Settled<ClaimedJob | undefined>): void {
    const { taker, campaign } = claim;
    const job = outcome.ok ? outcome.value : undefined;
    if (job) this.#learn(claim, job);
    else if (outcome.ok) this.#markEmpty(claim);
    this.#openings.claimEnds(claim.queues);
    if (claim.run) this.#settle(claim.run, outcome);
    taker.claiming--;
    if (job) this.#taken(claim, job);
    else this.#giveBack(claim);
    this.#count(campaign, -1);
    if (!job) this.#openings.roomChanged(campaign);
  }

  #taken({ taker, campaign, run }: Claim, job: ClaimedJob): void {
    // A job that waited went first.
    if (run && run.job.id !== job.id) {
      this.parts.fairShare.corrected(campaign, jobSeconds - secondsOf(run));
    }
    taker.receive(this.#newest(job));
  }

  #settle(run: NewRun, outcome: Settled<ClaimedJob | undefined>): void {
    this.parts.supply?.settle(run, endOf(run, outcome));
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

  /** A claim has read how many jobs are left in the queue of its job. */
  #learn({ queues, arrivals }: Claim, job: ClaimedJob): void {
    const index = queues.findIndex(({ id }) => id === job.queue_id);
    const queue = queues[index];
    if (!queue) return;
    const left = job.left_in_queue ?? 1;
    const isUnchanged = queue.arrivals === arrivals[index];
    queue.waiting = isUnchanged ? left : Math.max(left, queue.waiting - 1, 1);
  }

  #markEmpty({ taker: { botId }, queues, arrivals }: Claim): void {
    const isAvoided = this.parts.isAvoided?.(botId) ?? false;
    for (const [index, queue] of queues.entries()) {
      if (queue.arrivals !== arrivals[index]) continue;
      if (isAvoided && !queue.isSupplied) queue.emptyFor.add(botId);
      else queue.waiting = 0;
    }
  }

  #count(campaign: string, change: 1 | -1): void {
    this.#claiming += change;
    if (this.#claiming === 0) this.#changed.clear();
    const count = this.claimingOf(campaign) + change;
    if (count === 0) this.#claimingOf.delete(campaign);
    else this.#claimingOf.set(campaign, count);
  }

  #giveBack({ taker, campaign, charged, run }: Claim): void {
    this.parts.fairShare.gaveBack(campaign, charged, secondsOf(run));
    if (taker.gone) return;
    taker.credit++;
    this.#openings.seat(taker);
    taker.missed?.();
  }

  #rest(): void {
    this.#pause ??= this.parts.clock.schedule(retryClaimsAfterMs, () => {
      this.#pause = undefined;
      void this.#readNamed();
      this.#pump();
    });
  }

  #name(queueId: number): void {
    this.#named.add(queueId);
    if (!this.#pause) void this.#readNamed();
  }

  /** Reads queues that were named, with retries for as long as the database is locked. */
  async #readNamed(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    while (this.#named.size > 0 && !this.#stopped && !this.#pause) {
      const ids = [...this.#named].slice(0, queuesAtOnce);
      for (const id of ids) this.#named.delete(id);
      try {
        await this.#read(ids);
      } catch (error) {
        for (const id of ids) this.#named.add(id);
        if (!this.#stopped) this.#failed(error);
      }
      this.#countNamed();
    }
    this.#reading = false;
    this.#pump();
  }

  /** Counts jobs that arrived while their queue was being read. */
  #countNamed(): void {
    for (const id of this.#named) {
      const queue = this.#openings.queue(id);
      if (!queue) continue;
      this.#named.delete(id);
      this.#openings.arrived(queue);
    }
  }

  async #read(ids: readonly number[]): Promise<void> {
    const rows = await this.parts.inBackground('find_queues', (ctx) =>
      this.parts.store.run(ctx, findQueues, { ids }),
    );
    for (const row of rows) this.#openings.addQueue(row);
  }
}

/** CPU seconds that a campaign is charged for a claim. */
const secondsOf = (run: NewRun | undefined): number =>
  run === undefined ? jobSeconds : run.plannedMs / 1000;

/** An artifact of a run that is gone is no trouble of the store. */
const isMissing = ({ run }: Claim, outcome: Settled<unknown>): boolean =>
  run !== undefined && !outcome.ok && outcome.error instanceof NotFoundError;

function endOf(run: NewRun, outcome: Settled<ClaimedJob | undefined>): PlannedRunEnd {
  if (!outcome.ok) return outcome.error instanceof NotFoundError ? 'missing' : 'unneeded';
  if (!outcome.value) return 'outdated';
  return outcome.value.id === run.job.id ? 'made' : 'unneeded';
}
